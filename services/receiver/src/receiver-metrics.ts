import { createHttpMetrics } from '@kube-face/shared-lib/http-metrics';
import { Counter, Gauge, Histogram, METRIC_PREFIX, type Registry } from '@kube-face/shared-lib/metrics';

export type ReceiverMetrics = {
  /** One request answered; `route` as it is described, or "other". */
  answered(method: string, route: string, status: number, seconds: number): void;
  /** One group committed. */
  group(group: { submissions: number; images: number }): void;
  /** What became of a photo: taken, not queued, refused. */
  photos(outcome: 'queued' | 'not_queued' | 'duplicate' | 'refused', count: number): void;
};

/** Names of metrics stay in one place; labels have few values. */
export function createReceiverMetrics(registry: Registry, isNsqdConnected: () => boolean): ReceiverMetrics {
  const requests = createHttpMetrics(registry);
  const groups = new Histogram({
    name: `${METRIC_PREFIX}commit_group_images`,
    help: 'Photos that were committed together.',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 1_000, 10_000],
    registers: [registry],
  });
  const photos = new Counter({
    name: `${METRIC_PREFIX}posted_images_total`,
    help: 'Photos that were posted, by what became of them.',
    labelNames: ['outcome'] as const,
    registers: [registry],
  });
  new Gauge({
    name: `${METRIC_PREFIX}nsqd_connected`,
    help: 'Whether the nsqd to publish to is connected.',
    registers: [registry],
    collect() {
      this.set(isNsqdConnected() ? 1 : 0);
    },
  });
  return {
    answered: (method, route, code, seconds) => requests({ method: method.toUpperCase(), route, code, seconds }),
    group: ({ images }) => groups.observe(images),
    photos: (outcome, count) => count > 0 && photos.inc({ outcome }, count),
  };
}
