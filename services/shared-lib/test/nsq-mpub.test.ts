import { expect, test } from 'vitest';
import { encodeImageId } from '../src/image-id.ts';
import { encodeMpub } from '../src/nsq-mpub.ts';

test('writes sizes with the highest byte first, and ids with the lowest', () => {
  expect(encodeMpub([258, 2 ** 32 + 7])).toEqual(
    Buffer.concat([
      Buffer.from('MPUB images\n'),
      Buffer.from([0, 0, 0, 28]),
      Buffer.from([0, 0, 0, 2]),
      Buffer.from([0, 0, 0, 8, 2, 1, 0, 0, 0, 0, 0, 0]),
      Buffer.from([0, 0, 0, 8, 7, 0, 0, 0, 1, 0, 0, 0]),
    ]),
  );
});

test.each([1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER])('an id is the one that a single message has: %d', (id) => {
  expect(encodeMpub([id]).subarray(-8)).toEqual(encodeImageId(id));
});
