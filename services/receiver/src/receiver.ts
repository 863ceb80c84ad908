import type { HttpServer } from '@kube-face/shared-lib/http-server';
import type { Lifecycle } from '@kube-face/shared-lib/lifecycle';
import type { Logger } from '@kube-face/shared-lib/logger';
import type { Registry } from '@kube-face/shared-lib/metrics';
import { migrateWhenReachable } from '@kube-face/shared-lib/migrate';
import { createDatabase } from '@kube-face/shared-lib/mysql';
import { createImagePublisher } from '@kube-face/shared-lib/nsq-publisher';
import { nsqdName } from '@kube-face/shared-lib/nsqd-name';
import { watchPool } from '@kube-face/shared-lib/pool-metrics';
import type { Tracer } from '@kube-face/shared-lib/tracing';
import { createAccess } from './access.ts';
import { startBackground } from './background.ts';
import type { Config } from './config.ts';
import { createHttpApp } from './http-app.ts';
import { createGate } from './http-gate.ts';
import { startApiServer } from './http-server.ts';
import { createIdempotency } from './idempotency.ts';
import { createImageApi } from './image-api.ts';
import { createLimits } from './limits.ts';
import { drainQueue, queueDepth } from './nsqd-stats.ts';
import { createPeopleApi } from './people-api.ts';
import { createQueuedStamps } from './queued-stamps.ts';
import { createReceiverMetrics } from './receiver-metrics.ts';
import { serviceRoutes } from './service-routes.ts';
import { createStats } from './stats.ts';
import { createSweepLeftovers } from './sweep-leftovers.ts';

export type ReceiverOptions = {
  config: Config;
  log: Logger;
  lifecycle: Lifecycle;
  registry: Registry;
  tracer: Pick<Tracer, 'span' | 'begin'>;
};

const CONNECTIONS = 16; // more than there are people being changed at once, each of which holds one for its lock
const STATEMENT_TIMEOUT_MS = 5_000;
const FORGET_KEYS_EVERY_MS = 600_000;
const SWEEP_EVERY_MS = 1_800_000;

/**
 * Puts the receiver together and lets it listen. Nothing that it talks to has to be there. What is registered last closes
 * first: intake, then what is under way, then the queue is drained, and the connections go at the end.
 */
export async function startReceiver(options: ReceiverOptions): Promise<HttpServer> {
  const { config, log, lifecycle, registry, tracer } = options;
  const database = createDatabase(config.mysql, { connections: CONNECTIONS, statementTimeoutMs: STATEMENT_TIMEOUT_MS });
  lifecycle.onClose('mysql pool', () => database.close());
  watchPool(registry, database);
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
  const metrics = createReceiverMetrics(registry, () => publisher.isConnected);
  const forgetting = startBackground({ name: 'old keys', everyMs: FORGET_KEYS_EVERY_MS, work: idempotency.forget, log });
  lifecycle.onClose('old keys', () => forgetting.close());

  const routes = [
    ...createImageApi({ config, log, lifecycle, tracer, database, publisher, stamps, metrics }),
    ...createPeopleApi({ config, log, lifecycle, tracer, database, idempotency }),
  ];
  const app = createHttpApp({
    routes: [...routes, ...serviceRoutes({ others: routes, stats: createStats({ database, depth }) })],
    idempotency,
    log,
    tracer,
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
