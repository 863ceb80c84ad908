import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { hostname } from 'node:os';
import { ConfigError, withEnvFile } from '@kube-face/shared-lib/env';
import { createLifecycle } from '@kube-face/shared-lib/lifecycle';
import { createLogger } from '@kube-face/shared-lib/logger';
import { createRegistry } from '@kube-face/shared-lib/metrics';
import { startOpsServer } from '@kube-face/shared-lib/ops-server';
import { startTracing } from '@kube-face/shared-lib/tracing';
import { type Config, loadConfig } from './config.ts';
import { startImageProcessor } from './image-processor.ts';

const SHUTDOWN_GRACE_MS = 15_000;

function readConfig(): Config {
  try {
    return loadConfig(withEnvFile(process.env));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    createLogger('image-processor').fatal(error.message);
    process.exit(1);
  }
}

const config = readConfig();
const log = createLogger('image-processor', config.logLevel);
const lifecycle = createLifecycle({ log, graceMs: SHUTDOWN_GRACE_MS });
lifecycle.closeOnSignals(process);

const registry = createRegistry('image-processor');
const ops = await startOpsServer({ port: config.metricsPort, registry, isReady: () => !lifecycle.isClosing });
lifecycle.onClose('ops server', () => ops.close());

// Unlike any other process's, and its own of the last start: whoever holds a lease is never mistaken for another.
const owner = `${hostname().slice(0, 40)}:${randomBytes(8).toString('hex')}`;

const tracer = await startTracing({ service: 'image-processor', endpoint: config.tracesEndpoint, log });
lifecycle.onClose('traces', () => tracer.close());

const resolve = async (host: string) => (await lookup(host, { all: true })).length;
startImageProcessor({ config, owner, resolve, registry, tracer, log, lifecycle });
log.info({ owner, metricsPort: ops.port }, 'started');
