import { expect, test } from 'vitest';
import { createByteCache } from '../src/byte-cache.ts';

const entry = (bytes: number) => ({ body: Buffer.alloc(bytes) });

test('keeps what was used last within its bound', () => {
  const cache = createByteCache(100);
  cache.set('a', entry(40));
  cache.set('b', entry(40));
  cache.get('a');
  cache.set('c', entry(40));
  expect([cache.get('a'), cache.get('b'), cache.get('c')].map((value) => value?.body.length)).toEqual([40, undefined, 40]);
  expect(cache.bytes).toBe(80);
});

test('a value in another’s place takes its room, and one that is too large is not kept', () => {
  const cache = createByteCache(100);
  cache.set('a', entry(90));
  cache.set('a', entry(10));
  expect(cache.bytes).toBe(10);
  cache.set('b', entry(101));
  expect([cache.get('b'), cache.bytes]).toEqual([undefined, 10]);
});
