import { expect, test } from 'vitest';
import { createDecideFaces } from '../src/decide-faces.ts';
import { createSearchIndex } from '../src/gallery/search-index.ts';
import type { Judged } from '../src/gallery/search-protocol.ts';

const never = new AbortController().signal;
const bytesOf = (...numbers: number[]) => new Uint8Array(Float32Array.from(numbers).buffer);

/** A gallery of two whose every descriptor costs `costMs` of a clock that moves only by that. */
function decider(costMs = 0) {
  const index = createSearchIndex({ length: 2, metric: 'euclidean' });
  index.put('anna.jpg', Float32Array.of(0, 0));
  index.put('bert.jpg', Float32Array.of(1, 0));
  const slices: number[] = [];
  let clock = 0;
  const decide = async (packed: Float32Array, among: string[], threshold: number) => {
    const rows = Array.from({ length: packed.length / 2 }, (_, i) => packed.subarray(i * 2, i * 2 + 2));
    slices.push(rows.length);
    clock += rows.length * costMs;
    const judge = (row: Float32Array): Judged =>
      among.length > 0 && index.distanceAmong(row, among) > threshold ? null : index.nearest(row);
    return { version: 10 - slices.length, judged: rows.map(judge) };
  };
  return { slices, decideFaces: createDecideFaces({ search: { decide }, length: 2, now: () => clock }) };
}

test('judges every face by the whole gallery', async () => {
  const { decideFaces } = decider();
  const descriptors = [bytesOf(0.25, 0), bytesOf(5, 5)];
  const { faces, galleryVersion } = await decideFaces({ descriptors, among: [], threshold: 0.5 }, never);
  expect(faces).toMatchObject([{ match: { name: 'anna.jpg', distance: 0.25 } }, { match: undefined }]);
  expect(faces[1]?.candidates).toHaveLength(2);
  expect(galleryVersion).toBe(9);
});

test('leaves faces alone that nobody of `among` is near to, and judges the others by everybody', async () => {
  const { decideFaces } = decider();
  const descriptors = [bytesOf(1, 0.25), bytesOf(0.5, 0), bytesOf(0.375, 0)];
  const { faces } = await decideFaces({ descriptors, among: ['bert.jpg', 'nobody.jpg'], threshold: 0.5 }, never);
  expect(faces).toMatchObject([{ match: { name: 'bert.jpg' } }, { match: { name: 'anna.jpg' } }, undefined]);
  const { faces: left } = await decideFaces({ descriptors, among: ['nobody.jpg'], threshold: 0.5 }, never);
  expect(left).toEqual([undefined, undefined, undefined]);
});

test('works in slices of some 10 ms, in order, whatever a descriptor costs', async () => {
  const { decideFaces, slices } = decider(0.5);
  const descriptors = Array.from({ length: 500 }, (_, i) => bytesOf(i, 0));
  const { faces, galleryVersion } = await decideFaces({ descriptors, among: [], threshold: 0.5 }, never);
  expect(faces.map((face) => face?.candidates[0]?.distance)).toEqual([0, 0, ...Array.from({ length: 498 }, (_, i) => i + 1)]);
  expect(slices.slice(1, -1).every((size) => size >= 10 && size <= 20)).toBe(true);
  expect(galleryVersion).toBe(10 - slices.length); // the oldest gallery that had a say
});

test('stops between slices when the caller has gone', async () => {
  const { decideFaces, slices } = decider();
  const gone = new AbortController();
  gone.abort(new Error('gone'));
  await expect(decideFaces({ descriptors: [bytesOf(0, 0)], among: [], threshold: 1 }, gone.signal)).rejects.toThrow('gone');
  expect(slices).toEqual([]);
});

test('an empty request has an empty answer', async () => {
  const { decideFaces } = decider();
  expect(await decideFaces({ descriptors: [], among: [], threshold: 1 }, never)).toEqual({ faces: [], galleryVersion: 9 });
});
