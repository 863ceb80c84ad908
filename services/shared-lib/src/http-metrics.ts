import { Histogram, LATENCY_BUCKETS, METRIC_PREFIX, type Registry } from './metrics.ts';

/** Tells of one answered request. `route` is a pattern of few values, never an address; `code` 499: the client was gone. */
export type OnAnswered = (request: { method: string; route: string; code: number; seconds: number }) => void;

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Requests, under one name in whichever service answers them. */
export function createHttpMetrics(registry: Registry): OnAnswered {
  const requests = new Histogram({
    name: `${METRIC_PREFIX}http_request_duration_seconds`,
    help: 'HTTP requests from arrival to the end of the answer, by route and status code.',
    labelNames: ['method', 'route', 'code'] as const,
    buckets: LATENCY_BUCKETS,
    registers: [registry],
  });
  return ({ method, route, code, seconds }) => {
    // A client may make up methods; each would be a series of its own.
    requests.observe({ method: METHODS.has(method) ? method : 'other', route, code }, seconds);
  };
}
