import { describe, expect, test } from 'vitest';
import {
  decodeEntry,
  decodePart,
  encodeEntry,
  encodePart,
  type IndexedPhoto,
  PART_HEADER_BYTES,
  partBodyBytes,
} from '../../src/gallery/cache-format.ts';
import { sha256 } from '../fakes.ts';

const photo = sha256('a photo');
const descriptor = Float32Array.of(0.5, -1, 0, 3.25);

describe('an entry', () => {
  test('is laid out as drawn', () => {
    const entry = encodeEntry('m', photo, { faces: 2, descriptor: Float32Array.of(1) });
    expect(entry.toString('latin1', 0, 4)).toBe('KFC1');
    expect(entry.toString('hex', 4, 36)).toBe(photo);
    expect([...entry.subarray(36, 51)]).toEqual([2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0x6d, 0, 0, 0x80, 0x3f]);
    expect(entry).toHaveLength(51 + 32);
  });

  test.each([
    { faces: 3, descriptor },
    { faces: 0, descriptor: undefined },
  ])('comes back as it was written: %o', (face) => {
    expect(decodeEntry(encodeEntry('model ö', photo, face), 'model ö', photo, 4)).toEqual(face);
  });

  test('is nothing where a single bit is wrong, or its end is missing', () => {
    const entry = encodeEntry('model', photo, { faces: 1, descriptor });
    for (let at = 0; at < entry.length; at++) {
      const damaged = Buffer.from(entry);
      damaged[at] = (damaged[at] as number) ^ 1;
      expect(decodeEntry(damaged, 'model', photo, 4)).toBeUndefined();
      expect(decodeEntry(entry.subarray(0, at), 'model', photo, 4)).toBeUndefined();
    }
  });

  test('is nothing for another photo, model or length', () => {
    const entry = encodeEntry('model', photo, { faces: 1, descriptor });
    expect(decodeEntry(entry, 'model', sha256('another'), 4)).toBeUndefined();
    expect(decodeEntry(entry, 'model 2', photo, 4)).toBeUndefined();
    expect(decodeEntry(entry, 'model', photo, 8)).toBeUndefined();
  });
});

describe('a part of the index', () => {
  const photos: IndexedPhoto[] = [
    { name: 'anna "1".jpg', stamp: '1-2-3-4', photo, faces: 1, descriptor },
    { name: 'wall.jpg', stamp: '5-6-7-8', photo: sha256('wall'), faces: 0, descriptor: undefined },
    { name: 'ümlaut.png', stamp: '9', photo: sha256('u'), faces: 2, descriptor: Float32Array.of(1, 2, 3, 4) },
  ];
  const split = (part: Buffer): [Buffer, Buffer] => [part.subarray(0, PART_HEADER_BYTES), part.subarray(PART_HEADER_BYTES)];

  test('comes back as it was written', () => {
    const [header, body] = split(encodePart('model', photos));
    expect(partBodyBytes(header)).toBe(body.length);
    expect(decodePart(header, body, 'model', 4)).toEqual(photos);
  });

  test('is nothing where it is damaged, cut short, or of another model or length', () => {
    const part = encodePart('model', photos);
    for (let at = 0; at < part.length; at++) {
      const damaged = Buffer.from(part);
      damaged[at] = (damaged[at] as number) ^ 0x10;
      expect(decodePart(...split(damaged), 'model', 4)).toBeUndefined();
    }
    expect(decodePart(...split(part.subarray(0, -1)), 'model', 4)).toBeUndefined();
    expect(decodePart(...split(part), 'other', 4)).toBeUndefined();
    expect(decodePart(...split(part), 'model', 2)).toBeUndefined();
  });
});
