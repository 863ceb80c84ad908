import { expect, test } from 'vitest';
import { measure, type Portrait, proposeThreshold, ratesAt } from './error-rates.ts';
import { plot } from './plot.ts';

/** Descriptors on a line, where distances can be read off. */
const at = (person: string, place: number, asked = place): Portrait => ({
  person,
  known: Float32Array.of(place),
  asked: Float32Array.of(asked),
});

const TWO_PEOPLE = [at('ann', 0), at('ann', 1), at('bob', 8), at('bob', 10)];

test('compares each photo, as one asked about, with all others, as known ones', () => {
  const distances = measure([at('ann', 0, 5), at('ann', 1), at('bob', 9)], 'euclidean');
  expect(distances.same).toEqual([4, 1]); // 5 to 1, and 1 to 0
  expect(distances.others).toEqual([4, 8, 9, 8]);
  expect(distances.nearestSame).toEqual([4, 1]); // bob has no other photo
  expect(distances.nearestOther).toEqual([4, 8, 8]);
});

test('measures angles where the model does', () => {
  const turned = [Float32Array.of(1, 0), Float32Array.of(0, 1)];
  const portraits = turned.map((descriptor, i) => ({ person: String(i), known: descriptor, asked: descriptor }));
  expect(measure(portraits, 'cosine').others).toEqual([1, 1]);
});

test('counts mistakes of both kinds at a threshold', () => {
  const distances = measure(TWO_PEOPLE, 'euclidean');
  expect(ratesAt(1.5, distances)).toEqual({
    threshold: 1.5,
    falseMatch: 0,
    falseNonMatch: 0.5,
    strangersNamed: 0,
    peopleMissed: 0.5,
  });
  expect(ratesAt(7, distances)).toEqual({
    threshold: 7,
    falseMatch: 1 / 4,
    falseNonMatch: 0,
    strangersNamed: 2 / 4,
    peopleMissed: 0,
  });
});

test('proposes a threshold between those of the same person and those of others', () => {
  // The farthest of one person are 2 apart, the nearest of two people 7.
  expect(proposeThreshold(measure(TWO_PEOPLE, 'euclidean'))).toBe(4.5);
});

test('would rather miss one person than name one stranger', () => {
  const mixed = [at('ann', 0), at('ann', 3), at('bob', 5.5), at('bob', 9)];
  expect(proposeThreshold(measure(mixed, 'euclidean'))).toBeLessThan(2.5);
});

test('draws where distances lie, and where the threshold is', () => {
  const lines = plot(
    [
      { name: 'same', values: [0, 0, 0, 30] },
      { name: 'other', values: [60] },
    ],
    30,
  );
  expect(lines[0]).toBe(`same   █${' '.repeat(29)}▃${' '.repeat(29)}`);
  expect(lines[1]).toBe(`other  ${' '.repeat(59)}█`);
  expect(lines[2]).toBe(`       ${' '.repeat(30)}▲ 30.000`);
});
