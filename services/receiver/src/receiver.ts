import { randomUUID } from 'node:crypto';
import type { HttpServer } from '@kube-face/shared-lib/http-server';
import type { Lifecycle } from '@kube-face/shared-lib/lifecycle';
import type { Logger } from '@kube-face/shared-lib/logger';
import type { Registry } from '@kube-face/shared-lib/metrics';
import { migrateWhenReachable } from '@kube-face/shared-lib/migrate';
import { createDatabase, type Database } from '@kube-face/shared-lib/mysql';
import { createImagePublisher, type ImagePublisher } from '@kube-face/shared-lib/nsq-publisher';
import { nsqdName } from '@kube-face/shared-lib/nsqd-name';
import { watchPool } from '@kube-face/shared-lib/pool-metrics';
import type { Tracer } from '@kube-face/shared-lib/tracing';
import { createTurns } from '@kube-face/shared-lib/turns';
import { createAccess } from './access.ts';
import { startBackground } from './background.ts';
import { newBatchToken } from './batch-token.ts';
import type { Config } from './config.ts';
import { createCorrectFace } from './correct-face.ts';
import { createEnrolPerson } from './enrol-person.ts';
import { createEraseImage } from './erase-image.ts';
import { createErasePerson } from './erase-person.ts';
import { createErasureStore } from './erasure-store.ts';
import { createForgetPerson } from './forget-person.ts';
import { createFreePhotos } from './free-photos.ts';
import { createGalleryClient } from './gallery-client.ts';
import { createGroupCommit } from './group-commit.ts';
import { createHealthClient } from './health-client.ts';
import { createHttpApp } from './http-app.ts';
import { createGate } from './http-gate.ts';
import { startApiServer } from './http-server.ts';
import { createIdempotency, type Idempotency } from './idempotency.ts';
import { createImageReader } from './image-reader.ts';
import { imageRoutes } from './image-routes.ts';
import { createImageWriter } from './image-writer.ts';
import { createKnownPhotos } from './known-photos.ts';
import { createLimits } from './limits.ts';
import { drainQueue, queueDepth } from './nsqd-stats.ts';
import { peopleRoutes } from './people-routes.ts';
import { createPersonReader } from './person-reader.ts';
import { createPersonStore } from './person-store.ts';
import { countPosted } from './posted-count.ts';
import { createQueuedStamps, type QueuedStamps } from './queued-stamps.ts';
import { createReceiverMetrics } from './receiver-metrics.ts';
import { createRedecide } from './redecide.ts';
import { redecisionRoutes } from './redecision-routes.ts';
import { createRedecisionStore } from './redecision-store.ts';
import { createRenamePerson } from './rename-person.ts';
import { createRetryImages } from './retry-images.ts';
import { serviceRoutes } from './service-routes.ts';
import { createStats } from './stats.ts';
import { createSweepLeftovers } from './sweep-leftovers.ts';
import { createUploadImages } from './upload-images.ts';

export type ReceiverOptions = {
  config: Config;
  log: Logger;
  lifecycle: Lifecycle;
  registry: Registry;
  tracer: Pick<Tracer, 'span' | 'begin'>;
};
type Parts = ReceiverOptions & {
  database: Database;
  publisher: ImagePublisher;
  stamps: QueuedStamps;
  idempotency: Idempotency;
};

const CONNECTIONS = 16;
const STATEMENT_TIMEOUT_MS = 5_000;
// Each holds a database connection for its lock, so there must be fewer of them than connections.
const NAMES_AT_ONCE = 4;
const REDECIDE_EVERY_MS = 5_000;
const FORGET_PERSON_EVERY_MS = 5_000;
const FORGET_KEYS_EVERY_MS = 600_000;
const SWEEP_EVERY_MS = 1_800_000;

/**
 * Puts the receiver together and lets it listen. Nothing that it talks to has to be there. What is registered last closes
 * first: intake, then what is under way, then the queue is drained, and the connections go at the end.
 */
export async function startReceiver(options: ReceiverOptions): Promise<HttpServer> {
  const { config, log, lifecycle } = options;
  const database = createDatabase(config.mysql, { connections: CONNECTIONS, statementTimeoutMs: STATEMENT_TIMEOUT_MS });
  lifecycle.onClose('mysql pool', () => database.close());
  watchPool(options.registry, database);
  const closing = new AbortController();
  void migrateWhenReachable(database, log, closing.signal);
  lifecycle.onClose('migration', () => closing.abort());

  const publisher = createImagePublisher({ address: config.producerAddress, log });
  lifecycle.onClose('nsq publisher', () => publisher.close());
  const stamps = createQueuedStamps({ database, nsqd: nsqdName(config.producerAddress), log });
  const depth = () => queueDepth(config.nsqdHttpAddress);
  lifecycle.onClose('nsqd', () => drainQueue({ depth, drainMs: config.drainMs, log }));
  lifecycle.onClose('queued stamps', () => stamps.close());

  const { knownPeople, unknownPeople } = config;
  const sweep = createSweepLeftovers({ database, knownPeople, unknownPeople, log });
  const sweeping = startBackground({ name: 'leftovers', everyMs: SWEEP_EVERY_MS, work: sweep, log });
  sweeping.poke(); // a process before this one may have died
  lifecycle.onClose('leftovers', () => sweeping.close());
  const idempotency = createIdempotency({ database, log });
  const parts = { ...options, database, publisher, stamps, idempotency };
  const metrics = createReceiverMetrics(options.registry, () => publisher.isConnected);
  const forgetting = startBackground({ name: 'old keys', everyMs: FORGET_KEYS_EVERY_MS, work: idempotency.forget, log });
  lifecycle.onClose('old keys', () => forgetting.close());

  const routes = [...images(parts, metrics), ...people(parts)];
  const app = createHttpApp({
    routes: [...routes, ...serviceRoutes({ others: routes, stats: createStats({ database, depth }) })],
    idempotency,
    log,
    tracer: options.tracer,
    onAnswered: metrics.answered,
  });
  const gate = createGate({
    access: createAccess({ token: config.apiToken, allowedOrigins: config.allowedOrigins }),
    limits: createLimits({
      maxConcurrent: config.maxConcurrentRequests,
      maxPerSecond: config.maxRequestsPerSecond,
      now: () => performance.now(),
    }),
    listener: app.listener,
    refuse: app.refuse,
  });
  const server = await startApiServer({ port: config.port, listener: gate });
  lifecycle.onClose('http server', () => server.close());
  return server;
}

function images(
  { config, log, lifecycle, tracer, database, publisher, stamps }: Parts,
  metrics: ReturnType<typeof createReceiverMetrics>,
) {
  const { publish } = publisher;
  const commits = createGroupCommit({
    writer: createImageWriter({ database }),
    publish,
    onQueued: stamps.add,
    newToken: () => newBatchToken(Date.now()),
    tracer,
    log,
    onGroup: metrics.group,
  });
  lifecycle.onClose('group commit', () => commits.idle());
  const health = createHealthClient(config.grpcAddress, config.grpcTls);
  lifecycle.onClose('health client', () => health.close());
  const onPosted = countPosted(metrics.photos);

  return imageRoutes({
    commits,
    reader: createImageReader({ database, isRecognitionReady: health.isReady }),
    upload: createUploadImages({ commits, folder: config.unknownPeople, onPosted }),
    erase: createEraseImage({ database, folder: config.unknownPeople }),
    retry: createRetryImages({ database, publish, onQueued: stamps.add, log }),
    correct: createCorrectFace(database),
    onPosted,
  });
}

function people({ config, log, lifecycle, tracer, database, idempotency }: Parts) {
  const gallery = createGalleryClient(config.grpcAddress, config.grpcTls, tracer);
  lifecycle.onClose('gallery client', () => gallery.close());
  const store = createPersonStore(database);
  const owner = randomUUID();
  const redecisions = createRedecisionStore(database, owner);
  const redecide = createRedecide({ store: redecisions, people: store, gallery, tracer, log });
  const redeciding = startBackground({ name: 'redecisions', everyMs: REDECIDE_EVERY_MS, work: redecide.next, log });
  lifecycle.onClose('redecisions', () => redeciding.close());

  const knownPhotos = createKnownPhotos(config.knownPeople);
  const enrol = createEnrolPerson({ gallery, people: store, knownPhotos, log, onEnrolled: redeciding.poke });
  const rename = createRenamePerson(store);

  const erasures = createErasureStore(database, { owner });
  const freePhotos = createFreePhotos(database);
  const forget = createForgetPerson({ store: erasures, freePhotos, idempotency, log });
  const forgetting = startBackground({ name: 'erased people', everyMs: FORGET_PERSON_EVERY_MS, work: forget.next, log });
  lifecycle.onClose('erased people', () => forgetting.close());
  const erase = createErasePerson({ database, people: store, knownPhotos, gallery, freePhotos, log });
  const inTurn = createTurns({ atOnce: NAMES_AT_ONCE });

  const routes = peopleRoutes({
    enrol: (name, photos) => inTurn(() => enrol(name, photos)),
    people: createPersonReader(database),
    folder: config.knownPeople,
    rename: (id, name) => inTurn(() => rename(id, name)),
    erase: (id) => inTurn(() => erase(id)),
    isSwept: (erasure) => {
      forgetting.poke();
      return forget.isSwept(erasure);
    },
    erasures,
  });
  return [...routes, ...redecisionRoutes({ redecisions, rehearse: redecide.rehearse, onOrdered: redeciding.poke })];
}
