import { expect, test } from 'vitest';
import { createTurns } from '../src/turns.ts';

test('runs so many side by side and the others after, in order, also when one fails', async () => {
  const inTurn = createTurns(2);
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
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  await turn();
  expect(begun).toEqual([0, 1]);
  ends[1]?.(new Error('failed'));
  await turn();
  expect(begun).toEqual([0, 1, 2]);
  const late = inTurn(async () => begun.push(9));
  await turn();
  expect(begun).toEqual([0, 1, 2]);
  ends[0]?.();
  await turn();
  ends[2]?.();
  ends[3]?.();
  await late;
  expect(begun).toEqual([0, 1, 2, 3, 9]);
  expect((await results).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
});
