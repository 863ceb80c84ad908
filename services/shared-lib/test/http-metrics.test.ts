import { expect, test } from 'vitest';
import { createHttpMetrics } from '../src/http-metrics.ts';
import { createRegistry } from '../src/metrics.ts';

test('requests are counted by route and code, and a method that a client made up is none of its own', async () => {
  const registry = createRegistry('test');
  const answered = createHttpMetrics(registry);
  answered({ method: 'GET', route: '/images/{id}', code: 200, seconds: 0.02 });
  answered({ method: 'BREW', route: 'other', code: 405, seconds: 0.02 });
  answered({ method: 'POT', route: 'other', code: 405, seconds: 0.02 });

  const counts = (await registry.metrics()).split('\n').filter((line) => line.includes('http_request_duration_seconds_count'));
  expect(counts).toEqual([
    'kube_face_http_request_duration_seconds_count{method="GET",route="/images/{id}",code="200",service="test"} 1',
    'kube_face_http_request_duration_seconds_count{service="test",method="other",route="other",code="405"} 2',
  ]);
});
