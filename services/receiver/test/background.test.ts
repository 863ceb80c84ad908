import { silent } from '@kube-face/shared-lib/logger';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startBackground } from '../src/background.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function world(results: (boolean | Error)[] = []) {
  let runs = 0;
  const background = startBackground({
    name: 'work',
    everyMs: 1_000,
    work: async () => {
      runs += 1;
      const result = results.shift() ?? false;
      if (result instanceof Error) throw result;
      return result;
    },
    log: silent,
  });
  return { background, runs: () => runs };
}

test('works at its times', async () => {
  const { runs } = world();
  await vi.advanceTimersByTimeAsync(3_500);
  expect(runs()).toBe(3);
});

test('goes on at once while there is more', async () => {
  const { runs } = world([true, true, false]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(runs()).toBe(3);
});

test('works again after a fault', async () => {
  const { runs } = world([new Error('away')]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(runs()).toBe(2);
});

test('works at once when poked', async () => {
  const { background, runs } = world();
  background.poke();
  await vi.advanceTimersByTimeAsync(0);
  expect(runs()).toBe(1);
});

test('ends with what runs and starts nothing more', async () => {
  let finish = () => {};
  const background = startBackground({
    name: 'work',
    everyMs: 1_000,
    work: () => new Promise((resolve) => (finish = () => resolve(true))),
    log: silent,
  });
  await vi.advanceTimersByTimeAsync(1_000);
  let isClosed = false;
  const closed = background.close().then(() => (isClosed = true));
  await vi.advanceTimersByTimeAsync(0);
  expect(isClosed).toBe(false);
  finish();
  await closed;
  expect(vi.getTimerCount()).toBe(0);
});
