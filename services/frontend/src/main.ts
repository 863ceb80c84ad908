import { withEnvFile } from '@kube-face/shared-lib/env';
import { createLifecycle } from '@kube-face/shared-lib/lifecycle';
import { createLogger } from '@kube-face/shared-lib/logger';
import { createRegistry } from '@kube-face/shared-lib/metrics';
import { migrateWhenReachable } from '@kube-face/shared-lib/migrate';
import { createDatabase } from '@kube-face/shared-lib/mysql';
import { startOpsServer } from '@kube-face/shared-lib/ops-server';
import { watchPool } from '@kube-face/shared-lib/pool-metrics';
import { startTracing } from '@kube-face/shared-lib/tracing';
import { createApp } from './app.ts';
import { loadConfig } from './config.ts';
import { createCounts } from './counts.ts';
import { createLive } from './live.ts';
import { createFrontendMetrics } from './metrics.ts';
import { createPeopleStore } from './people-store.ts';
import { createPhotoFolder } from './photo-folder.ts';
import { createPhotoStore } from './photo-store.ts';
import { createPictures } from './pictures.ts';
import { startPageServer } from './server.ts';

const PICTURE_CACHE_BYTES = 64 * 1024 * 1024;

const config = loadConfig(withEnvFile(process.env));
const log = createLogger('frontend', config.logLevel);
const lifecycle = createLifecycle({ log, graceMs: config.shutdownGraceMs });
lifecycle.closeOnSignals(process);

const registry = createRegistry('frontend');
const metrics = createFrontendMetrics(registry);
let isListening = false;
const ops = await startOpsServer({ port: config.metricsPort, registry, isReady: () => isListening && !lifecycle.isClosing });
lifecycle.onClose('ops server', () => ops.close());

const tracer = await startTracing({ service: 'frontend', endpoint: config.tracesEndpoint, log });
lifecycle.onClose('traces', () => tracer.close());

const database = createDatabase(config.mysql);
lifecycle.onClose('database', () => database.close());
watchPool(registry, database);

// Pages are served meanwhile: they say that the database is not ready.
const closing = new AbortController();
void migrateWhenReachable(database, log, closing.signal);
lifecycle.onClose('migration', () => closing.abort());

const photos = createPhotoStore(database);
const counts = createCounts({ db: database, log });
lifecycle.onClose('counts', () => counts.close());
const live = createLive({ photos, counts, log });
lifecycle.onClose('live', () => live.close());

const app = createApp({
  photos,
  people: createPeopleStore(database),
  counts,
  live,
  pictures: createPictures({ cacheBytes: PICTURE_CACHE_BYTES }),
  unknownPeople: createPhotoFolder(config.unknownPeople, '/unknown_people'),
  knownPeople: createPhotoFolder(config.knownPeople, '/known_people'),
  receiverUrl: config.receiverUrl,
  threshold: config.matchThreshold,
  metrics,
  tracer,
  log,
});
const server = await startPageServer({ port: config.port, app: app.handle });
lifecycle.onClose('page server', () => server.close());
lifecycle.onClose('pages that follow', () => app.close());
isListening = true;
log.info({ port: server.port, metricsPort: ops.port }, 'listening');
