import { describe, expect, test } from 'vitest';
import { createSearchIndex, MAX_CANDIDATES } from '../../src/gallery/search-index.ts';

const at = (...numbers: number[]) => Float32Array.from(numbers);
const euclidean = () => createSearchIndex({ length: 2, metric: 'euclidean' });

test('finds nothing in an empty gallery', () => {
  expect(euclidean().nearest(at(0, 0))).toEqual([]);
  expect(euclidean().distanceAmong(at(0, 0), ['a.jpg'])).toBe(Number.POSITIVE_INFINITY);
});

test('gives the nearest first, with euclidean distances', () => {
  const index = euclidean();
  index.put('far.jpg', at(30, 40));
  index.put('near.jpg', at(3, 4));
  expect(index.nearest(at(0, 0))).toEqual([
    { name: 'near.jpg', distance: 5 },
    { name: 'far.jpg', distance: 50 },
  ]);
});

test('equally near ones stand by name, whatever order they came in', () => {
  for (const names of [
    ['a', 'b', 'c'],
    ['c', 'a', 'b'],
    ['b', 'c', 'a'],
  ]) {
    const index = euclidean();
    for (const name of names) index.put(name, at(1, 1));
    expect(index.nearest(at(0, 0)).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  }
});

test('gives at most 32, the ones that matter, and among equals the first by name', () => {
  const index = euclidean();
  const names = Array.from({ length: 100 }, (_, i) => `${String((i * 37) % 100).padStart(3, '0')}.jpg`);
  for (const name of names) index.put(name, at(Number.parseInt(name, 10) < 10 ? 1 : 2, 0));
  const found = index.nearest(at(0, 0)).map(({ name }) => name);
  expect(found).toHaveLength(MAX_CANDIDATES);
  expect(found).toEqual(names.toSorted((a, b) => a.localeCompare(b)).slice(0, MAX_CANDIDATES));
});

test('a photo that is put again has its new descriptor only', () => {
  const index = euclidean();
  index.put('a.jpg', at(1, 0));
  index.put('a.jpg', at(0, 9));
  expect(index.size).toBe(1);
  expect(index.nearest(at(0, 0))).toEqual([{ name: 'a.jpg', distance: 9 }]);
  expect(index.descriptorOf('a.jpg')).toEqual(at(0, 9));
});

test('a removed photo is found no more, the others still are', () => {
  const index = euclidean();
  for (let i = 0; i < 500; i++) index.put(`${i}`, at(i, 0));
  for (let i = 0; i < 500; i += 2) expect(index.remove(`${i}`)).toBe(true);
  expect(index.remove('0')).toBe(false);
  expect(index.size).toBe(250);
  for (let i = 0; i < 500; i++) {
    const [nearest] = index.nearest(at(i, 0));
    expect(nearest?.distance).toBe(i % 2 === 1 ? 0 : 1);
    expect(Number(nearest?.name) % 2).toBe(1);
  }
});

test('a cosine model compares directions', () => {
  const index = createSearchIndex({ length: 2, metric: 'cosine' });
  index.put('along.jpg', at(10, 0));
  index.put('across.jpg', at(0, 0.1));
  index.put('against.jpg', at(-1, 0));
  const found = index.nearest(at(0.5, 0));
  expect(found.map(({ name }) => name)).toEqual(['along.jpg', 'across.jpg', 'against.jpg']);
  for (const [i, distance] of [0, 1, 2].entries()) expect(found[i]?.distance).toBeCloseTo(distance, 6);
  expect(index.distanceAmong(at(3, 3), ['across.jpg', 'against.jpg', 'nobody.jpg'])).toBeCloseTo(1 - Math.SQRT1_2, 6);
});

test('refuses a descriptor of another length', () => {
  expect(() => euclidean().put('a.jpg', at(1, 2, 3))).toThrow(RangeError);
});

describe('agrees with a plain scan', () => {
  test.each([1, 31, 33, 3_000])('of %i photos of 128 numbers, some gone and some replaced', (count) => {
    const random = randomNumbers(count);
    const index = createSearchIndex({ length: 128, metric: 'euclidean' });
    const truth = new Map<string, Float32Array>();
    const put = (name: string) => {
      const descriptor = Float32Array.from({ length: 128 }, () => random() - 0.5);
      truth.set(name, descriptor);
      index.put(name, descriptor);
    };
    for (let i = 0; i < count; i++) put(`${i}.jpg`);
    for (let i = 0; i < count / 10; i++) {
      const gone = `${Math.floor(random() * count)}.jpg`;
      index.remove(gone);
      truth.delete(gone);
      put(`${Math.floor(random() * count)}.jpg`);
    }
    for (let i = 0; i < 20; i++) {
      const query = Float32Array.from({ length: 128 }, () => random() - 0.5);
      const scan = [...truth]
        .map(([name, descriptor]) => ({
          name,
          distance: Math.hypot(...descriptor.map((value, k) => value - (query[k] as number))),
        }))
        .toSorted((a, b) => a.distance - b.distance)
        .slice(0, MAX_CANDIDATES);
      const found = index.nearest(query);
      expect(found.map(({ name }) => name)).toEqual(scan.map(({ name }) => name));
      for (const [k, { distance }] of found.entries()) expect(distance).toBeCloseTo(scan[k]?.distance as number, 5);
    }
  });
});

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
