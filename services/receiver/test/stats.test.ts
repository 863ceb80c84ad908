import type { RowDataPacket, Statements } from '@kube-face/shared-lib/mysql';
import { expect, test, vi } from 'vitest';
import { createStats } from '../src/stats.ts';

function world() {
  let time = 0;
  const state = { pending: 1, isAway: false, countingMs: 10, waits: Promise.resolve() };
  const query = async (sql: string) => {
    await state.waits;
    if (state.isAway) throw new Error('away');
    if (!sql.startsWith('select status, count')) return [];
    time += state.countingMs;
    return [{ status: 0, n: state.pending }] as RowDataPacket[];
  };
  const stats = createStats({
    database: { withConnection: (work) => work({ query, execute: query } as Statements) },
    depth: () => Promise.reject(new Error('nsqd is away')),
    now: () => time,
  });
  return {
    state,
    pass(ms: number) {
      time += ms;
    },
    pending: async () => (await stats()).images.pending,
    stats,
  };
}

test('says what it can where nsqd does not answer', async () => {
  expect(await world().stats()).toMatchObject({ images: { pending: 1, processed: 0 }, queue: null, people: 0 });
});

test('keeps a count for a while, then counts anew', async () => {
  const { state, pass, pending } = world();
  expect(await pending()).toBe(1);
  state.pending = 2;
  pass(1_999);
  expect(await pending()).toBe(1);
  pass(1);
  expect(await pending()).toBe(2);
});

test('answers with the last count where the next one does not come to an end', async () => {
  const { state, pass, pending } = world();
  await pending();
  state.pending = 2;
  let goOn = () => {};
  state.waits = new Promise((resolve) => {
    goOn = resolve;
  });
  pass(2_000);
  expect(await pending()).toBe(1);
  goOn();
  await vi.waitFor(async () => expect(await pending()).toBe(2));
});

test('counts the more rarely the more it costs', async () => {
  const { state, pass, pending } = world();
  state.countingMs = 1_000;
  await pending();
  state.pending = 2;
  pass(19_999);
  for (let n = 0; n < 5; n += 1) expect(await pending()).toBe(1);
  pass(1);
  await vi.waitFor(async () => expect(await pending()).toBe(2));
});

test('the last count serves while the database is away; the first one needs it', async () => {
  const { state, pass, pending } = world();
  state.isAway = true;
  await expect(pending()).rejects.toThrow('away');
  state.isAway = false;
  expect(await pending()).toBe(1);
  state.isAway = true;
  pass(10_000);
  expect(await pending()).toBe(1);
});
