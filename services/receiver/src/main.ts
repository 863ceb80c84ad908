import { ConfigError, withEnvFile } from '@kube-face/shared-lib/env';
import { createLifecycle } from '@kube-face/shared-lib/lifecycle';
import { createLogger } from '@kube-face/shared-lib/logger';
import { createRegistry } from '@kube-face/shared-lib/metrics';
import { startOpsServer } from '@kube-face/shared-lib/ops-server';
import { startTracing } from '@kube-face/shared-lib/tracing';
import { type Config, loadConfig } from './config.ts';
import { startReceiver } from './receiver.ts';

function readConfig(): Config {
  try {
    return loadConfig(withEnvFile(process.env));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    createLogger('receiver').fatal(error.message);
    process.exit(1);
  }
}

const config = readConfig();
const log = createLogger('receiver', config.logLevel);
const lifecycle = createLifecycle({ log, graceMs: config.drainMs + 15_000 });
lifecycle.closeOnSignals(process);

const registry = createRegistry('receiver');
const ops = await startOpsServer({ port: config.metricsPort, registry, isReady: () => !lifecycle.isClosing });
lifecycle.onClose('ops server', () => ops.close());

const tracer = await startTracing({ service: 'receiver', endpoint: config.tracesEndpoint, log });
lifecycle.onClose('traces', () => tracer.close());

const receiver = await startReceiver({ config, log, lifecycle, registry, tracer });
log.info({ port: receiver.port, metricsPort: ops.port }, 'listening');
