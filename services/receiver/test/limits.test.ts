import { expect, test } from 'vitest';
import { createLimits } from '../src/limits.ts';

test('lets so many in at once, and the next when one has left', () => {
  const limits = createLimits({ maxConcurrent: 2, maxPerSecond: 0, now: () => 0 });
  expect([limits.enter('a'), limits.enter('b')]).toEqual([undefined, undefined]);
  expect(limits.enter('c')).toMatchObject({ status: 429, retryAfterSeconds: 1 });
  limits.leave();
  expect(limits.enter('c')).toBeUndefined();
});

test('lets a client ask so many times a second, whatever others do', () => {
  let now = 0;
  const limits = createLimits({ maxConcurrent: 100, maxPerSecond: 2, now: () => now });
  const ask = (client: string) => limits.enter(client)?.status;
  expect([ask('a'), ask('a'), ask('a'), ask('b')]).toEqual([undefined, undefined, 429, undefined]);
  now = 500;
  expect([ask('a'), ask('a')]).toEqual([undefined, 429]);
  now = 60_000;
  expect([ask('a'), ask('a'), ask('a')]).toEqual([undefined, undefined, 429]);
});

test('whoever goes on asking too often is let in at the rate, not never', () => {
  let now = 0;
  const limits = createLimits({ maxConcurrent: 100, maxPerSecond: 1, now: () => now });
  let taken = 0;
  for (; now < 10_000; now += 100) if (!limits.enter('a')) taken += 1;
  expect(taken).toBe(10);
});
