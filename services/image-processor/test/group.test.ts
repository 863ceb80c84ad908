import { expect, test } from 'vitest';
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

test('the first goes at once; what comes meanwhile goes together', async () => {
  const { groups, letGo, double } = work();
  const add = createGroup(double, options);
  const results = [1, 2, 3].map(add);
  expect(groups).toEqual([[1]]);

  await letGo();
  expect(groups).toEqual([[1], [2, 3]]);

  await letGo();
  expect(await Promise.all(results)).toEqual([2, 4, 6]);
});

test('no group is larger than allowed', async () => {
  const { groups, letGo, double } = work();
  const add = createGroup(double, options);
  const results = [1, 2, 3, 4, 5, 6].map(add);
  for (let group = 0; group < 3; group += 1) await letGo();
  await Promise.all(results);

  expect(groups).toEqual([[1], [2, 3, 4], [5, 6]]);
});

test('one that fails by itself does not take the others with it', async () => {
  const add = createGroup(async (items: readonly number[]) => {
    await Promise.resolve();
    if (items.includes(13)) throw new Error('unlucky');
    return items.map(String);
  }, options);
  const results = await Promise.allSettled([1, 12, 13, 14].map(add));

  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
});

test("a fault that is nobody's own fails the group without trying each", async () => {
  let tries = 0;
  const add = createGroup(
    async (items: readonly number[]) => {
      tries += 1;
      await Promise.resolve();
      if (items.length > 1) throw new Error('away');
      return items;
    },
    { maxItems: 3, isShared: () => true },
  );
  const results = await Promise.allSettled([1, 2, 3].map(add));

  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  expect(tries).toBe(2);
});

test('goes on after a group that failed', async () => {
  let isBroken = true;
  const add = createGroup(async (items: readonly number[]) => {
    if (isBroken) throw new Error('broken');
    return items;
  }, options);
  await expect(add(1)).rejects.toThrow('broken');
  isBroken = false;

  expect(await add(2)).toBe(2);
});
