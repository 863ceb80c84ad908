import { silent } from '@kube-face/shared-lib/logger';
import type { Database } from '@kube-face/shared-lib/mysql';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createQueuedStamps } from '../src/queued-stamps.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function world() {
  const marked: unknown[] = [];
  const state = { isAway: false };
  const query = async (_sql: string, [, list]: readonly unknown[] = []) => {
    if (state.isAway) throw new Error('away');
    marked.push(list);
    return {};
  };
  const stamps = createQueuedStamps({ database: { query } as Pick<Database, 'query'>, nsqd: 'here:4150', log: silent });
  return { marked, state, stamps };
}

const batch = (name: string) => Buffer.from(name);

test('marks many batches in one statement, a little later', async () => {
  const { stamps, marked } = world();
  stamps.add({ batch: batch('a'), count: 30 });
  stamps.add({ batch: batch('b'), count: 30 });
  stamps.add({ ids: [1, 2] });
  expect(marked).toEqual([]);
  await vi.advanceTimersByTimeAsync(500);
  expect(marked).toEqual([
    [batch('a'), batch('b')],
    [1, 2],
  ]);
});

test('keeps statements small', async () => {
  const { stamps, marked } = world();
  for (const name of ['a', 'b', 'c']) stamps.add({ batch: batch(name), count: 2_000 });
  await vi.advanceTimersByTimeAsync(500);
  expect(marked).toEqual([[batch('a')], [batch('b')], [batch('c')]]);
});

test('tries again what could not be written', async () => {
  const { stamps, marked, state } = world();
  state.isAway = true;
  stamps.add({ ids: [1] });
  await vi.advanceTimersByTimeAsync(500);
  state.isAway = false;
  stamps.add({ ids: [2] });
  await vi.advanceTimersByTimeAsync(500);
  expect(marked).toEqual([[1, 2]]);
});

test('forgets the oldest rather than grow for ever', async () => {
  const { stamps, marked, state } = world();
  state.isAway = true;
  stamps.add({ batch: batch('old'), count: 150_000 });
  stamps.add({ batch: batch('new'), count: 150_000 });
  await vi.advanceTimersByTimeAsync(500);
  state.isAway = false;
  await vi.advanceTimersByTimeAsync(500);
  expect(marked).toEqual([[batch('new')]]);
});

test('writes what is left when it closes', async () => {
  const { stamps, marked } = world();
  stamps.add({ ids: [3] });
  await stamps.close();
  expect(marked).toEqual([[3]]);
});
