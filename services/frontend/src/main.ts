import { withEnvFile } from '@kube-face/shared-lib/env';
import { createLifecycle } from '@kube-face/shared-lib/lifecycle';
import { createLogger } from '@kube-face/shared-lib/logger';
import { createRegistry } from '@kube-face/shared-lib/metrics';
import { migrateWhenReachable } from '@kube-face/shared-lib/migrate';
import { createDatabase } from '@kube-face/shared-lib/mysql';
import { startOpsServer } from '@kube-face/shared-lib/ops-server';
import { createApp } from './app.ts';
import { loadConfig } from './config.ts';
import { createFrontendMetrics } from './metrics.ts';
import { createPhotoFolder } from './photo-folder.ts';
import { createPhotoStore } from './photo-store.ts';
import { createPictures } from './pictures.ts';
import { startPageServer } from './server.ts';

const config = loadConfig(withEnvFile(process.env));
const log = createLogger('frontend', config.logLevel);
const lifecycle = createLifecycle({ log, graceMs: config.shutdownGraceMs });
lifecycle.closeOnSignals(process);

const registry = createRegistry('frontend');
const metrics = createFrontendMetrics(registry);
const ops = await startOpsServer({ port: config.metricsPort, registry, isReady: () => !lifecycle.isClosing });
lifecycle.onClose('ops server', () => ops.close());

const database = createDatabase(config.mysql);
lifecycle.onClose('database', () => database.close());

// Pages are served meanwhile: they say that the database is not ready.
const closing = new AbortController();
void migrateWhenReachable(database, log, closing.signal);
lifecycle.onClose('migration', () => closing.abort());

const app = createApp({
  photos: createPhotoStore(database),
  unknownPeople: createPhotoFolder(config.unknownPeople, '/unknown_people'),
  pictures: createPictures({ cacheBytes: 64 * 1024 * 1024 }),
  receiverUrl: config.receiverUrl,
  metrics,
  log,
});
const server = await startPageServer({ port: config.port, app });
lifecycle.onClose('page server', () => server.close());
log.info({ port: server.port, metricsPort: ops.port }, 'listening');
