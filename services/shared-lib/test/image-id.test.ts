import { expect, test } from 'vitest';
import { decodeImageId, encodeImageId } from '../src/image-id.ts';

test('writes the lowest byte first', () => {
  expect(encodeImageId(258)).toEqual(Buffer.from([2, 1, 0, 0, 0, 0, 0, 0]));
});

test.each([1, 255, 2 ** 32, Number.MAX_SAFE_INTEGER])('reads back what it wrote: %d', (id) => {
  expect(decodeImageId(encodeImageId(id))).toBe(id);
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['seven bytes', Buffer.alloc(7, 1)],
  ['nine bytes', Buffer.alloc(9, 1)],
  ['zero', Buffer.alloc(8)],
  ['more than a number holds exactly', Buffer.from([0, 0, 0, 0, 0, 0, 0x20, 0])],
  ['text', Buffer.from('12345678')],
])('a body that is no id: %s', (_, body) => {
  expect(decodeImageId(body)).toBeUndefined();
});
