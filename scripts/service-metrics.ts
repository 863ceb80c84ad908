import { createRegistry, type Registry } from '@kube-face/shared-lib/metrics';
import { watchPool } from '@kube-face/shared-lib/pool-metrics';
import { createServiceMetrics } from '../services/face-recognition/src/service-metrics.ts';
import { createFrontendMetrics } from '../services/frontend/src/metrics.ts';
import { watchBacklog } from '../services/image-processor/src/backlog.ts';
import { createMetrics } from '../services/image-processor/src/metrics.ts';
import { createReceiverMetrics } from '../services/receiver/src/receiver-metrics.ts';

export type Metric = { name: string; type: string; help: string; labels: readonly string[] };

const database = { use: { busy: 0, waiting: 0, limit: 0 }, query: () => Promise.reject(new Error('nobody asks')) };

// As the services register them, over nothing: no value is ever read.
const REGISTER: Readonly<Record<string, (registry: Registry) => void>> = {
  receiver(registry) {
    createReceiverMetrics(registry, () => false);
    watchPool(registry, database);
  },
  'image-processor'(registry) {
    createMetrics(registry);
    watchPool(registry, database);
    watchBacklog({ registry, database, now: () => 0 });
  },
  'face-recognition'(registry) {
    const metrics = createServiceMetrics(registry);
    const model = { name: '', length: 0, metric: 'euclidean', threshold: 0 } as const;
    const work = { analyse: () => Promise.reject(new Error('nobody asks')), close: async () => {} };
    const pool = { runtime: 'onnxruntime-web', workers: 0, queueLimit: 0, busy: 0, queued: 0 } as const;
    metrics.watchEngine({ model, ...work, ...pool }, { run: (_signal, one) => one(), waiting: 0 });
    metrics.watchGallery({ size: 0, version: 0, counts: () => ({ skipped: new Map(), severalFaces: 0 }) });
  },
  frontend(registry) {
    createFrontendMetrics(registry);
    watchPool(registry, database);
  },
};

function metricsOf(registry: Registry): Metric[] {
  return registry.getMetricsAsArray().map((metric) => ({
    name: metric.name,
    type: String(metric.type),
    help: metric.help,
    labels: 'labelNames' in metric ? (metric.labelNames as string[]) : [],
  }));
}

/** What every process tells of itself: memory, event loop, garbage collection. */
export const PROCESS_METRICS: readonly Metric[] = metricsOf(createRegistry(''));

const ofProcess = new Set(PROCESS_METRICS.map(({ name }) => name));

/** Every metric of each service beyond those of any process, as its code registers it. */
export const SERVICE_METRICS: ReadonlyMap<string, readonly Metric[]> = new Map(
  Object.entries(REGISTER).map(([service, register]) => {
    const registry = createRegistry(service);
    register(registry);
    return [service, metricsOf(registry).filter(({ name }) => !ofProcess.has(name))];
  }),
);
