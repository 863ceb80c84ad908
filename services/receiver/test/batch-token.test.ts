import { expect, test } from 'vitest';
import { newBatchToken } from '../src/batch-token.ts';

test('begins with the time, highest byte first', () => {
  expect(newBatchToken(0x010203040506).subarray(0, 6)).toEqual(Buffer.from([1, 2, 3, 4, 5, 6]));
});

test('sorts by time', () => {
  const tokens = [1_000, 255, 256, 65_536].map(newBatchToken);
  expect(tokens.toSorted(Buffer.compare).map((token) => token.readUIntBE(0, 6))).toEqual([255, 256, 1_000, 65_536]);
});

test('is another one each time', () => {
  expect(new Set(Array.from({ length: 100 }, () => newBatchToken(5).toString('hex'))).size).toBe(100);
});
