import { createHttpMetrics } from '@kube-face/shared-lib/http-metrics';
import { Counter, Gauge, METRIC_PREFIX, type Registry } from '@kube-face/shared-lib/metrics';

export type FrontendMetrics = ReturnType<typeof createFrontendMetrics>;

/** What the frontend counts besides the process's own figures. */
export function createFrontendMetrics(registry: Registry) {
  return {
    answered: createHttpMetrics(registry),
    pictures: new Counter({
      name: `${METRIC_PREFIX}pictures_total`,
      help: 'Pictures asked for, by result: sent, unchanged, none.',
      labelNames: ['result'],
      registers: [registry],
    }),
    viewers: new Gauge({
      name: `${METRIC_PREFIX}viewers`,
      help: 'Pages that follow the table at the moment.',
      registers: [registry],
    }),
  };
}
