import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { withEnvFile } from '@kube-face/shared-lib/env';
import { createLifecycle } from '@kube-face/shared-lib/lifecycle';
import { createLogger } from '@kube-face/shared-lib/logger';
import { createRegistry } from '@kube-face/shared-lib/metrics';
import { startOpsServer } from '@kube-face/shared-lib/ops-server';
import { startTracing } from '@kube-face/shared-lib/tracing';
import { loadConfig } from './config.ts';
import { createEnginePool } from './engine/engine.ts';
import { startFaceServer } from './grpc-server.ts';
import { engineQueueLimit, type OpenRecognition, openRecognition } from './recognition.ts';
import { createServiceMetrics } from './service-metrics.ts';

// ONNX Runtime's own binaries tell their maker about every session unless this is set. Their code reads the process's real
// environment, which only this thread can change, so it is set before there are workers.
process.env.ORT_DISABLE_TELEMETRY = '1';

const config = loadConfig(withEnvFile(process.env), availableParallelism());
const log = createLogger('face-recognition', config.logLevel);
const lifecycle = createLifecycle({ log, graceMs: config.shutdownGraceMs });
lifecycle.closeOnSignals(process);

const registry = createRegistry('face-recognition');
const metrics = createServiceMetrics(registry);
let opened: OpenRecognition | undefined;
const recognition = () => (opened?.isReady && !lifecycle.isClosing ? opened.recognition : undefined);

function die(error: unknown): void {
  log.fatal({ error }, 'cannot go on');
  void lifecycle.close().then(() => process.exit(1));
}

try {
  const ops = await startOpsServer({ port: config.metricsPort, registry, isReady: () => recognition() !== undefined });
  lifecycle.onClose('metrics server', ops.close);
  const tracer = await startTracing({ service: 'face-recognition', endpoint: config.tracesEndpoint, log });
  lifecycle.onClose('traces', tracer.close);

  // Named here, so that they are closed after the server that uses them.
  let closeEngine = async () => {};
  lifecycle.onClose('engine', () => closeEngine());
  lifecycle.onClose('gallery', () => opened?.close());

  // Listening before the models are loaded: who asks is told "not ready" instead of being refused.
  const { tls } = config;
  const server = await startFaceServer(config.port, { recognition, tls, tracer, log, onIdentified: metrics.identified });
  lifecycle.onClose('grpc server', () => server.close(config.shutdownGraceMs * 0.8));
  log.info({ port: server.port, workers: config.workers }, 'listening');

  const engine = await createEnginePool({
    workers: config.workers,
    queueLimit: engineQueueLimit(config.workers),
    modelsDir: fileURLToPath(new URL('../models', import.meta.url)),
    ...(config.modelDir === undefined ? {} : { modelDir: config.modelDir }),
    runtime: config.runtime,
    log,
  });
  closeEngine = () => engine.close();

  opened = await openRecognition({ config, engine, metrics, log, onReady: server.publishHealth, onDeath: die });
} catch (error) {
  die(error);
}
