import { describe, expect, test } from 'vitest';
import { createSearchIndex, MAX_CANDIDATES, type SearchIndex } from '../../src/gallery/search-index.ts';

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
  const length = 40;
  type Truth = Map<string, Float32Array>;

  function scan(truth: Truth, query: Float32Array, metric: 'euclidean' | 'cosine') {
    const norm = (values: Float32Array) =>
      metric === 'cosine' ? Math.sqrt(values.reduce((sum, value) => sum + value * value, 0)) : 1;
    const queryNorm = norm(query);
    const all = [...truth].map(([name, values]) => {
      const rowNorm = norm(values);
      let squared = 0;
      for (let i = 0; i < length; i++) squared += ((values[i] as number) / rowNorm - (query[i] as number) / queryNorm) ** 2;
      return { name, distance: metric === 'cosine' ? squared / 2 : Math.sqrt(squared) };
    });
    return all.toSorted((a, b) => a.distance - b.distance).slice(0, MAX_CANDIDATES);
  }

  /** Fills an index, with some photos gone again and some replaced, and asks it for photos near to known ones and far from all. */
  function compare(index: SearchIndex, count: number, metric: 'euclidean' | 'cosine', make: () => Float32Array): void {
    const random = randomNumbers(count);
    const truth: Truth = new Map();
    const put = (name: string) => {
      const values = make();
      truth.set(name, values);
      index.put(name, values);
    };
    for (let i = 0; i < count; i++) put(`${i}.jpg`);
    for (let i = 0; i < count / 10; i++) {
      const gone = `${Math.floor(random() * count)}.jpg`;
      index.remove(gone);
      truth.delete(gone);
      put(`${Math.floor(random() * count)}.jpg`);
    }
    expect(index.size).toBe(truth.size);
    const names = [...truth.keys()];
    for (let i = 0; i < 20; i++) {
      const near = truth.get(names[Math.floor(random() * names.length)] as string) as Float32Array;
      const query = i % 2 ? make() : near.map((value) => value + (random() - 0.5) / 50);
      const expected = scan(truth, query, metric);
      const found = index.nearest(query);
      expect(found.map(({ name }) => name)).toEqual(expected.map(({ name }) => name));
      for (const [k, { distance }] of found.entries()) expect(distance).toBeCloseTo(expected[k]?.distance as number, 5);
    }
  }

  const random = randomNumbers(1);
  const even = () => Float32Array.from({ length }, () => random() - 0.5);
  const skewed = () => Float32Array.from({ length }, (_, i) => (random() - 0.5) / (i + 1));
  // One in fifty lies far off, beyond what a byte of the filter can say.
  const wild = () => skewed().map((value) => (random() < 0.02 ? value * 40 : value));

  test.each([1, 31, 33, 2_000])('of %i photos that are read in full', (count) => {
    compare(createSearchIndex({ length, metric: 'euclidean' }), count, 'euclidean', even);
  });

  test.each([
    ['that vary alike in all directions', even],
    ['that vary in few directions', skewed],
    ['some of which lie far off', wild],
  ])('of many photos behind a filter, %s', (_, make) => {
    compare(createSearchIndex({ length, metric: 'euclidean', filterFrom: 100 }), 2_500, 'euclidean', make);
  });

  test('of many photos behind a filter that are all the same', () => {
    const index = createSearchIndex({ length, metric: 'euclidean', filterFrom: 100 });
    const same = new Float32Array(length).fill(0.25);
    for (let i = 0; i < 3_000; i++) index.put(`${5_999 - i}`, same);
    expect(index.nearest(same).map(({ name }) => name)).toEqual(Array.from({ length: 32 }, (_, i) => `${3_000 + i}`));
  });

  test('of many photos of a cosine model behind a filter', () => {
    compare(createSearchIndex({ length, metric: 'cosine', filterFrom: 100 }), 2_500, 'cosine', skewed);
  });

  test('of few numbers each, fewer than the filter has directions', () => {
    const index = createSearchIndex({ length: 3, metric: 'euclidean', filterFrom: 10 });
    for (let i = 0; i < 5_000; i++) index.put(`${i}`, at(i, 0, 0));
    expect(
      index
        .nearest(at(4_200.25, 0, 0))
        .slice(0, 3)
        .map(({ name }) => name),
    ).toEqual(['4200', '4201', '4199']);
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
