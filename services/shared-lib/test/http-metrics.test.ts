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
  expect(counts.map(labelsAndValue)).toEqual([
    { labels: ['code="200"', 'method="GET"', 'route="/images/{id}"', 'service="test"'], value: '1' },
    { labels: ['code="405"', 'method="other"', 'route="other"', 'service="test"'], value: '2' },
  ]);
});

/** Labels stand in no particular order. */
function labelsAndValue(line: string) {
  const [, labels = '', value] = /\{(.*)\} (\S+)$/.exec(line) ?? [];
  return { labels: labels.split(',').toSorted(), value };
}
