import { expect, test } from 'vitest';
import { BusyError, createGate } from '../src/gate.ts';

test('lets so many run, so many wait in turn, and refuses the rest', async () => {
  const pass = createGate({ running: 2, waiting: 1 });
  const order: string[] = [];
  const first = Promise.withResolvers<void>();
  const work = (name: string, until?: Promise<void>) =>
    pass(async () => {
      order.push(name);
      await until;
      return name;
    });

  const all = [work('a', first.promise), work('b', first.promise), work('c')];
  await expect(work('d')).rejects.toThrow(BusyError);
  expect(order).toEqual(['a', 'b']);
  first.resolve();
  expect(await Promise.all(all)).toEqual(['a', 'b', 'c']);
  expect(await work('e')).toBe('e');
});

test('work that fails makes room for the next', async () => {
  const pass = createGate({ running: 1, waiting: 1 });
  const failing = pass(() => Promise.reject(new Error('broken')));
  const next = pass(async () => 'next');
  await expect(failing).rejects.toThrow('broken');
  expect(await next).toBe('next');
});
