import { silent } from '@kube-face/shared-lib/logger';
import type { QueryResult } from '@kube-face/shared-lib/mysql';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type CountSource, createCounts } from '../src/counts.ts';

let counts: CountSource;
let queries: number;
let tookMs: number;
let pending: number;

beforeEach(() => {
  vi.useFakeTimers();
  queries = 0;
  tookMs = 0;
  pending = 1;
  const query = async <T extends QueryResult>(sql: string): Promise<T> => {
    if (sql.includes('group by status')) {
      queries += 1;
      const found = [{ status: 0, n: pending }];
      await vi.advanceTimersByTimeAsync(0);
      await new Promise((resolve) => setTimeout(resolve, tookMs));
      return found as QueryResult as T;
    }
    return [] as QueryResult as T;
  };
  counts = createCounts({ db: { query }, log: silent });
});

afterEach(() => {
  counts.close();
  vi.useRealTimers();
});

async function current() {
  const answer = counts.current();
  await vi.advanceTimersByTimeAsync(300);
  return (await answer)?.byStatus.pending;
}

test('whoever asks gets the last counts; they are made anew every moment, while somebody asks', async () => {
  expect(await current()).toBe(1);
  pending = 2;
  expect([await current(), queries]).toEqual([1, 1]);
  await vi.advanceTimersByTimeAsync(1_500);
  expect([await current(), queries]).toEqual([2, 2]);
  await vi.advanceTimersByTimeAsync(600_000);
  const idle = queries;
  expect(idle).toBeLessThan(50);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(queries).toBe(idle);
  pending = 3;
  expect(await current()).toBe(3);
});

test('counting that takes long is not waited for, and is done less often', async () => {
  tookMs = 2_000;
  expect(await current()).toBeUndefined();
  await vi.advanceTimersByTimeAsync(2_000);
  expect([await current(), queries]).toEqual([1, 1]);
  await vi.advanceTimersByTimeAsync(35_000);
  expect(queries).toBe(1);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(queries).toBe(2);
});
