import { expect, test, vi } from 'vitest';
import { createTurns } from '../src/turns.ts';

const soon = () => new Promise((resolve) => setImmediate(resolve));

test('runs so many side by side and the others after, in order, also when one fails', async () => {
  const inTurn = createTurns({ atOnce: 2 });
  const begun: number[] = [];
  const ends: ((error?: Error) => void)[] = [];
  const results = Promise.allSettled(
    [0, 1, 2, 3].map((n) =>
      inTurn(async () => {
        begun.push(n);
        await new Promise<void>((resolve, reject) => ends.push((error) => (error ? reject(error) : resolve())));
        return n;
      }),
    ),
  );
  await soon();
  expect(begun).toEqual([0, 1]);
  ends[1]?.(new Error('failed'));
  await soon();
  expect(begun).toEqual([0, 1, 2]);
  const late = inTurn(async () => begun.push(9));
  await soon();
  expect(begun).toEqual([0, 1, 2]);
  ends[0]?.();
  await soon();
  ends[2]?.();
  ends[3]?.();
  await late;
  expect(begun).toEqual([0, 1, 2, 3, 9]);
  expect((await results).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
});

test('refuses whoever comes when so many are waiting', async () => {
  const inTurn = createTurns({ atOnce: 1, maxWaiting: 1 });
  const held = Promise.withResolvers<string>();
  const results = [inTurn(() => held.promise), inTurn(async () => 'second')];
  await expect(inTurn(async () => 'third')).rejects.toMatchObject({ code: 'full' });
  held.resolve('first');
  expect(await Promise.all(results)).toEqual(['first', 'second']);
  expect(await inTurn(async () => 'fourth')).toBe('fourth');
});

test("whoever waited long enough goes, and takes nobody else's turn", async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const inTurn = createTurns({ atOnce: 1, maxWaitMs: 1_000 });
    const held = Promise.withResolvers<string>();
    const first = inTurn(() => held.promise);
    const second = expect(inTurn(async () => 'second')).rejects.toMatchObject({ code: 'late' });
    vi.advanceTimersByTime(999);
    const third = inTurn(async () => 'third');
    vi.advanceTimersByTime(1);
    await second;
    held.resolve('first');
    expect(await Promise.all([first, third])).toEqual(['first', 'third']);
    expect(await inTurn(async () => 'fourth')).toBe('fourth');
  } finally {
    vi.useRealTimers();
  }
});
