import { expect, test } from 'vitest';
import { backoffMs } from '../src/backoff.ts';

test.each([
  [1, 5_000],
  [2, 10_000],
  [3, 20_000],
  [7, 300_000],
  [5_000, 300_000],
])('after failure %d waits %d ms', (failures, expected) => {
  expect(backoffMs(failures, { baseMs: 5_000, maxMs: 300_000 })).toBe(expected);
});
