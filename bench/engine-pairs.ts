import type { DetectedFace } from '../services/face-recognition/src/engine/types.ts';
import { type BenchRow, percent } from './figures.ts';

export type Judged = { same: boolean; far: number };

/** What a photo is compared as: one that is asked about, or one that is known. */
export type Role = 'query' | 'known';

export const WAYS: readonly { compared: string; one: Role; other: Role }[] = [
  { compared: 'face by face', one: 'query', other: 'query' },
  { compared: 'face by known photo', one: 'query', other: 'known' },
  { compared: 'known photos, both', one: 'known', other: 'known' },
];

/** A face that is not found is far from everybody. */
export const apart = (left: Float32Array | undefined, right: Float32Array | undefined) =>
  left && right ? distance(left, right) : Number.POSITIVE_INFINITY;

const distance = (left: Float32Array, right: Float32Array) => Math.hypot(...left.map((value, i) => value - (right[i] ?? 0)));

/** The face that a portrait is of: the one nearest to the photo's middle. */
export function central(faces: readonly DetectedFace[], width: number, height: number): DetectedFace | undefined {
  const fromMiddle = ({ box }: DetectedFace) =>
    Math.hypot(box.x + box.width / 2 - width / 2, box.y + box.height / 2 - height / 2);
  return faces.toSorted((left, right) => fromMiddle(left) - fromMiddle(right))[0];
}

/** How well a distance tells pairs of one person from pairs of two. */
export function accepted(pairs: readonly Judged[]): BenchRow {
  return {
    'pairs of one person': pairs.filter(({ same }) => same).length,
    'of two': pairs.filter(({ same }) => !same).length,
    'balanced accuracy %': balancedAccuracy(pairs),
    'true accepts % at 1e-2': trueAccepts(pairs, 1e-2),
    'at 1e-3': trueAccepts(pairs, 1e-3),
  };
}

/** The mean of both shares that are judged right, at the threshold where it is largest on these very pairs. */
function balancedAccuracy(pairs: readonly Judged[]): number {
  const same = pairs.filter((pair) => pair.same).length;
  const others = pairs.length - same;
  let best = 0;
  let [accepted, mistaken] = [0, 0];
  for (const pair of pairs.toSorted((left, right) => left.far - right.far)) {
    if (pair.same) accepted++;
    else mistaken++;
    best = Math.max(best, accepted / same + 1 - mistaken / others);
  }
  return percent(best, 2);
}

/** The share of pairs of one person that is accepted where so large a share of the others is. */
function trueAccepts(pairs: readonly Judged[], falseAccepts: number): number {
  const others = pairs.filter(({ same }) => !same).map(({ far }) => far);
  const limit = others.toSorted((left, right) => left - right)[Math.floor(falseAccepts * others.length)] ?? 0;
  const own = pairs.filter(({ same }) => same);
  return percent(own.filter(({ far }) => far < limit).length, own.length);
}
