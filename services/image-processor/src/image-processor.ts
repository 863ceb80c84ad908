import type { Lifecycle } from '@kube-face/shared-lib/lifecycle';
import type { Logger } from '@kube-face/shared-lib/logger';
import type { Registry } from '@kube-face/shared-lib/metrics';
import { migrateWhenReachable } from '@kube-face/shared-lib/migrate';
import { createDatabase, isDatabaseAway } from '@kube-face/shared-lib/mysql';
import { watchPool } from '@kube-face/shared-lib/pool-metrics';
import type { Tracer } from '@kube-face/shared-lib/tracing';
import { watchBacklog } from './backlog.ts';
import { createBreaker } from './breaker.ts';
import type { Config } from './config.ts';
import { startConsumer } from './consumer.ts';
import { createDatabaseGate } from './database-gate.ts';
import { createFaceClient, FaceServiceError } from './face-client.ts';
import { createFaceService } from './face-service.ts';
import { createGroup } from './group.ts';
import { createImageStore, type Result } from './image-store.ts';
import { createMetrics } from './metrics.ts';
import { ClosingError, createProcessImage } from './process-image.ts';
import { createSlots } from './slots.ts';

const CALLS_AT_FIRST = 4;
const GROUP = { maxItems: 64, isShared: isDatabaseAway };

/** At shutdown, calls under way have this long to be answered before their photos go back. */
const CALL_GRACE_MS = 8_000;

/** While photos wait for their calls, a result may wait so long for others to be written with. */
const RESULT_WAIT_MS = 200;
const CLAIM_WAIT_MS = 1_000;

// Beside the photos that are with face recognition, as many wait for it, and the others are claimed or written together.
function messagesFor(calls: number): number {
  return calls * 6 + 8;
}

// The photo and ourselves are not what the circuit watches.
function isFailedCall(error: unknown): boolean {
  return error instanceof FaceServiceError && error.code !== 'exhausted' && error.code !== 'cancelled';
}

export type ImageProcessorOptions = {
  config: Config;
  owner: string;
  /** How many addresses a host name has. */
  resolve: (host: string) => Promise<number>;
  registry: Registry;
  tracer: Pick<Tracer, 'span'>;
  log: Logger;
  lifecycle: Pick<Lifecycle, 'onClose'>;
};

/** Builds the processor and starts it. Nothing else needs to be up; what comes up later is used from then on. */
export function startImageProcessor({ config, owner, resolve, registry, tracer, log, lifecycle }: ImageProcessorOptions): void {
  const metrics = createMetrics(registry);
  const database = createDatabase(config.mysql);
  lifecycle.onClose('database', () => database.close());
  watchPool(registry, database);
  watchBacklog({ registry, database, now: () => performance.now() });
  const migrating = new AbortController();
  lifecycle.onClose('migration', () => migrating.abort());
  void migrateWhenReachable(database, log, migrating.signal);

  const faces = createFaceClient({ address: config.grpcAddress, tls: config.grpcTls, callTimeoutMs: config.callTimeoutMs });
  lifecycle.onClose('face client', () => faces.close());

  const store = createImageStore(database, { owner, leaseMs: config.leaseMs });
  const stopping = new AbortController();
  const cancelling = new AbortController();

  const slots = createSlots({
    ceiling: CALLS_AT_FIRST,
    onChange({ inUse, limit }) {
      metrics.calls.set(inUse);
      metrics.callLimit.set(limit);
      consumer.setMaxInFlight(messagesFor(limit));
      claims.hurry();
      answers.hurry();
    },
  });
  const breaker = createBreaker({
    ...config.breaker,
    isFailure: isFailedCall,
    isReady: () => faces.isReady(),
    onChange(isOpen) {
      metrics.circuitOpen.set(isOpen ? 1 : 0);
      if (isOpen) consumer.pause('circuit');
      else consumer.resume('circuit');
    },
    log,
  });
  lifecycle.onClose('circuit breaker', () => breaker.close());

  const service = createFaceService({
    describe: () => faces.describe(),
    countPods: () => resolve(config.grpcAddress.replace(/^dns:\/\/\//, '').replace(/:\d+$/, '')),
    mayCall: () => !breaker.isOpen,
    onCapacity: slots.setCeiling,
    log,
  });
  lifecycle.onClose('face service', () => service.close());

  const gate = createDatabaseGate({
    probe: () => database.query('select 1'),
    onChange(isClosed) {
      if (isClosed) consumer.pause('database');
      else consumer.resume('database');
    },
    log,
  });
  lifecycle.onClose('database gate', () => gate.stop());

  // Claimed when they will soon have their turn; what comes until then is claimed with them.
  const claims = createGroup(store.claim, {
    ...GROUP,
    mayWait: () => slots.waiting >= slots.limit && !stopping.signal.aborted,
    waitMs: CLAIM_WAIT_MS,
  });
  const answers = createGroup(
    async (lists: readonly (readonly string[])[]) => {
      const owners = await store.ownersOf([...new Set(lists.flat())]);
      return lists.map(() => owners);
    },
    {
      ...GROUP,
      // Only as long as there is enough in hand: messages make room for others once they are answered.
      mayWait: () => slots.waiting + claims.size >= slots.limit * 2 && !stopping.signal.aborted,
      waitMs: RESULT_WAIT_MS,
    },
  );
  const results = createGroup<Result, boolean>(store.write, GROUP);

  const processImage = createProcessImage({
    claim: claims.add,
    write: results.add,
    ownersOf: answers.add,
    identify: faces.identify,
    service,
    breaker,
    slots,
    retry: config.retry,
    stopping: stopping.signal,
    cancelling: cancelling.signal,
    onDatabaseAway: gate.close,
    tracer,
    metrics,
    log,
  });

  const renewTimer = setInterval(() => {
    void store.renew([...processImage.held]).catch((error) => log.warn({ error }, 'leases could not be renewed'));
  }, config.leaseMs / 3);
  lifecycle.onClose('leases', () => clearInterval(renewTimer));

  const consumer = startConsumer({
    lookupAddresses: config.lookupAddresses,
    handle: processImage,
    maxInFlight: messagesFor(slots.limit),
    messageTimeoutMs: config.leaseMs,
    onQueueTime: (seconds) => metrics.queueSeconds.observe(seconds),
    onChange({ messages, nsqds }) {
      metrics.messages.set(messages);
      metrics.nsqds.set(nsqds);
    },
    log,
  });
  lifecycle.onClose('nsq consumer', async () => {
    stopping.abort(new ClosingError('closing'));
    const timer = setTimeout(() => cancelling.abort(new ClosingError('closing')), Math.min(CALL_GRACE_MS, config.callTimeoutMs));
    await consumer.stop();
    clearTimeout(timer);
  });
}
