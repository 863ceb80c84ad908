import { expect, test } from 'vitest';
import { apply, fitSimilarity, invert, scaleOf } from '../../src/engine/similarity.ts';

const SQUARE = [0, 0, 2, 0, 2, 2, 0, 2];

test('finds the turn, scale and shift that points went through', () => {
  const moved = apply({ a: 0, b: 3, tx: 5, ty: -1 }, SQUARE); // a quarter turn, three times larger
  expect([...moved]).toEqual([5, -1, 5, 5, -1, 5, -1, -1]);

  const found = fitSimilarity(SQUARE, moved);

  expect(found.a).toBeCloseTo(0, 6);
  expect(found.b).toBeCloseTo(3, 6);
  expect(scaleOf(found)).toBeCloseTo(3, 6);
  expect([...apply(found, SQUARE)]).toEqual([...moved]);
});

test('leads back where it came from', () => {
  const there = { a: 0.6, b: -1.1, tx: 40, ty: 7 };
  const back = apply(invert(there), apply(there, SQUARE));
  for (const [i, value] of SQUARE.entries()) expect(back[i]).toBeCloseTo(value, 4);
});

test('shifts points that all coincide', () => {
  expect(fitSimilarity([1, 1, 1, 1], [4, 6, 4, 6])).toEqual({ a: 1, b: 0, tx: 3, ty: 5 });
});
