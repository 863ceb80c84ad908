import { expect, test } from 'vitest';
import { renderChart } from '../src/pages/chart.ts';

test('the highest minute fills the chart, failures stand on what went well, and words say the same', () => {
  const minutes = [
    { processed: 0, failed: 0 },
    { processed: 5, failed: 5 },
    { processed: 2, failed: 0 },
  ];
  const chart = renderChart(minutes).toString();
  expect(chart).toContain('aria-label="12 photos finished in the last hour, 5 of them failed; at most 10 in a minute"');
  expect(chart).toContain('<rect class="done" x="10" y="28.0" width="8" height="28.0" />');
  expect(chart).toContain('<rect class="failed" x="10" y="0.0" width="8" height="28.0" />');
  expect(chart).toContain('<title>1 min ago: 10 photos, 5 failed</title>');
  expect(chart).toContain('<title>this minute: 2 photos</title>');
  expect(chart.match(/<rect/g)).toHaveLength(3);
});

test('an hour in which nothing happened is an empty chart', () => {
  const chart = renderChart(Array.from({ length: 60 }, () => ({ processed: 0, failed: 0 }))).toString();
  expect(chart).not.toContain('<rect');
});
