import { Counter, Gauge, Histogram, LATENCY_BUCKETS, METRIC_PREFIX, type Registry } from '@kube-face/shared-lib/metrics';

export type FrontendMetrics = ReturnType<typeof createFrontendMetrics>;

/** What the frontend counts besides the process's own figures. */
export function createFrontendMetrics(registry: Registry) {
  return {
    requests: new Histogram({
      name: `${METRIC_PREFIX}http_request_duration_seconds`,
      help: 'Time until a request was answered, by route and status code.',
      labelNames: ['route', 'code'],
      buckets: LATENCY_BUCKETS,
      registers: [registry],
    }),
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
