import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createGroup } from '../src/group.ts';

/** Work that is let go by hand, and remembers its groups. */
function work() {
  const groups: number[][] = [];
  const waiting: (() => void)[] = [];
  return {
    groups,
    async letGo() {
      waiting.shift()?.();
      for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    },
    async double(items: readonly number[]) {
      groups.push([...items]);
      await new Promise<void>((resolve) => waiting.push(resolve));
      return items.map((item) => item * 2);
    },
  };
}

const options = { maxItems: 3, isShared: () => false };
const nextTurn = () => new Promise(setImmediate);

test('what comes in one turn goes together, and so does what comes while it is under way', async () => {
  const { groups, letGo, double } = work();
  const { add } = createGroup(double, options);
  const results = [add(1), add(2)];
  await nextTurn();
  expect(groups).toEqual([[1, 2]]);

  results.push(add(3), add(4));
  await nextTurn();
  expect(groups).toEqual([[1, 2]]);

  await letGo();
  expect(groups).toEqual([
    [1, 2],
    [3, 4],
  ]);

  await letGo();
  expect(await Promise.all(results)).toEqual([2, 4, 6, 8]);
});

test('no group is larger than allowed', async () => {
  const { groups, letGo, double } = work();
  const { add } = createGroup(double, options);
  const results = [1, 2, 3, 4, 5, 6, 7].map(add);
  await nextTurn();
  for (let group = 0; group < 3; group += 1) await letGo();
  await Promise.all(results);

  expect(groups).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
});

describe('where items may wait for others', () => {
  test('they go once there are as many as there may be', async () => {
    const { groups, double } = work();
    const { add } = createGroup(double, { ...options, mayWait: () => true, waitMs: 60_000 });
    void add(1);
    void add(2);
    await nextTurn();
    expect(groups).toEqual([]);

    void add(3);
    await nextTurn();
    expect(groups).toEqual([[1, 2, 3]]);
  });

  test('they go once there is nothing to wait for any more', async () => {
    const { groups, double } = work();
    let mayWait = true;
    const group = createGroup(double, { ...options, mayWait: () => mayWait, waitMs: 60_000 });
    void group.add(1);
    await nextTurn();
    group.hurry();
    await nextTurn();
    expect(groups).toEqual([]);
    expect(group.size).toBe(1);

    mayWait = false;
    group.hurry();
    await nextTurn();
    expect(groups).toEqual([[1]]);
  });

  test('they go when the time is up', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { groups, double } = work();
    const { add } = createGroup(double, { ...options, mayWait: () => true, waitMs: 100 });
    void add(1);
    await nextTurn();
    await vi.advanceTimersByTimeAsync(99);
    expect(groups).toEqual([]);

    await vi.advanceTimersByTimeAsync(1);
    expect(groups).toEqual([[1]]);
  });
});

test('one that fails by itself does not take the others with it', async () => {
  const { add } = createGroup(async (items: readonly number[]) => {
    await Promise.resolve();
    if (items.includes(13)) throw new Error('unlucky');
    return items.map(String);
  }, options);
  const results = await Promise.allSettled([1, 12, 13, 14].map(add));

  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
});

test("a fault that is nobody's own fails the group without trying each", async () => {
  let tries = 0;
  const { add } = createGroup(
    async (items: readonly number[]) => {
      tries += 1;
      await Promise.resolve();
      if (items.includes(2)) throw new Error('away');
      return items;
    },
    { maxItems: 3, isShared: () => true },
  );
  const results = await Promise.allSettled([1, 2, 3, 4].map(add));

  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'fulfilled']);
  expect(tries).toBe(2);
});

test('goes on after a group that failed', async () => {
  let isBroken = true;
  const { add } = createGroup(async (items: readonly number[]) => {
    if (isBroken) throw new Error('broken');
    return items;
  }, options);
  await expect(add(1)).rejects.toThrow('broken');
  isBroken = false;

  expect(await add(2)).toBe(2);
});
