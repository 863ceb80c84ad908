import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nameFace } from '@kube-face/shared-lib/name-face';
import { loadEngine } from '../services/face-recognition/src/engine/load-engine.ts';
import type { DetectedFace } from '../services/face-recognition/src/engine/types.ts';
import { MODELS } from './engine-process.ts';
import { type BenchRow, percent, round } from './figures.ts';

export type Runtime = 'native' | 'wasm';

export const distance = (left: Float32Array, right: Float32Array) =>
  Math.hypot(...left.map((value, i) => value - (right[i] ?? 0)));

/** The face that a portrait is of: the one nearest to the photo's middle. */
export function central(faces: readonly DetectedFace[], width: number, height: number): DetectedFace | undefined {
  const fromMiddle = ({ box }: DetectedFace) =>
    Math.hypot(box.x + box.width / 2 - width / 2, box.y + box.height / 2 - height / 2);
  return faces.toSorted((left, right) => fromMiddle(left) - fromMiddle(right))[0];
}

/**
 * A folder with `labels.csv` (folder,file,person): what is in `known` is known, what is in `unknown` must get its person's name, what is in
 * `strangers` none. Decided as the service decides; `look-alikes` are those of `unknown` that the margin between two people left without a
 * name. The second table takes every photo with every other.
 */
export async function benchFolder(runtime: Runtime, folder: string): Promise<{ named: BenchRow[]; pairs: BenchRow[] }> {
  const engine = await loadEngine({ modelsDir: MODELS, runtime, hasGlibc: true });
  const lines = (await readFile(join(folder, 'labels.csv'), 'utf8')).trim().split(/\r?\n/).slice(1);
  const photos: LabelledPhoto[] = [];
  for (const line of lines) {
    const [kind = '', file = '', person = ''] = line.split(',');
    const bytes = await readFile(join(folder, kind, file));
    const describe = async (known: boolean) => {
      const { faces, width, height } = await engine.analyse(bytes, known);
      return central(faces, width, height)?.descriptor;
    };
    photos.push({ kind, person, file, query: await describe(false), known: await describe(true) });
  }
  const named = nameAll(photos, engine.model.threshold).map((row) => ({ runtime: engine.runtime, ...row }));
  const pairs = WAYS.map(({ compared, one, other }) => ({
    runtime: engine.runtime,
    compared,
    ...accepted(everyPair(photos, one, other)),
  }));
  return { named, pairs };
}

type Role = 'query' | 'known';
type LabelledPhoto = { kind: string; person: string; file: string } & Record<Role, Float32Array | undefined>;

const WAYS: readonly { compared: string; one: Role; other: Role }[] = [
  { compared: 'face by face', one: 'query', other: 'query' },
  { compared: 'face by known photo', one: 'query', other: 'known' },
  { compared: 'known photos, both', one: 'known', other: 'known' },
];

const apart = (left: Float32Array | undefined, right: Float32Array | undefined) =>
  left && right ? distance(left, right) : Number.POSITIVE_INFINITY;

/** At the default threshold and around it. */
function nameAll(photos: readonly LabelledPhoto[], threshold: number): BenchRow[] {
  const gallery = photos.filter(({ kind }) => kind === 'known');
  const people = [...new Set(gallery.map(({ person }) => person))];
  const owners = new Map(gallery.map(({ file, person }) => [file, { id: people.indexOf(person) }]));
  const asked = photos
    .filter(({ kind }) => kind !== 'known')
    .map((photo) => ({
      ...photo,
      near: gallery.map(({ file, known }) => ({ imageName: file, distance: apart(photo.query, known) })),
    }));
  const total = (kind: string) => asked.filter((photo) => photo.kind === kind).length;

  return [threshold - 0.04, threshold - 0.02, threshold, threshold + 0.02, threshold + 0.04].map((limit) => {
    const decided = asked.map(({ kind, person, near }) => {
      const { match, lookAlikes } = nameFace(near, (imageName) => owners.get(imageName), limit);
      return { kind, person, named: match && people[match.person], isLookAlike: lookAlikes !== undefined };
    });
    const count = (which: (each: (typeof decided)[number]) => boolean) => decided.filter(which).length;
    return {
      threshold: `${round(limit, 3)}${limit === threshold ? ' *' : ''}`,
      'named right': `${count(({ kind, person, named }) => kind === 'unknown' && named === person)} of ${total('unknown')}`,
      'named wrongly': count(({ kind, person, named }) => kind === 'unknown' && named !== undefined && named !== person),
      'look-alikes': count(({ kind, isLookAlike }) => kind === 'unknown' && isLookAlike),
      'strangers named': `${count(({ kind, named }) => kind === 'strangers' && named !== undefined)} of ${total('strangers')}`,
      'no face': asked.filter(({ query }) => query === undefined).length,
    };
  });
}

/** A stranger is a person of their own. */
function everyPair(photos: readonly LabelledPhoto[], one: Role, other: Role): Judged[] {
  const pairs: Judged[] = [];
  for (const [i, left] of photos.entries()) {
    for (const right of photos.slice(i + 1))
      pairs.push({ same: left.person !== '' && left.person === right.person, far: apart(left[one], right[other]) });
  }
  return pairs;
}

type Pair = { fold: number; one: string; other: string; same: boolean };

/** LFW's list for View 2: "10 300", then for each fold 300 lines of a name and two numbers and 300 of two names with a number each. */
export function parsePairs(text: string): Pair[] {
  const [head = '', ...lines] = text.trim().split(/\r?\n/);
  const [folds = 1, each = 0] = head.trim().split(/\s+/).map(Number);
  const photo = (name = '', number = '') => `${name}/${name}_${number.padStart(4, '0')}.jpg`;
  return lines.slice(0, folds * each * 2).map((line, i) => {
    const words = line.trim().split(/\s+/);
    const fold = Math.floor(i / (2 * each));
    if (words.length === 3) return { fold, one: photo(words[0], words[1]), other: photo(words[0], words[2]), same: true };
    return { fold, one: photo(words[0], words[1]), other: photo(words[2], words[3]), same: false };
  });
}

/**
 * LFW's protocol with the engine's own detector: each fold is judged at the threshold that is best on the others. A face that is not found
 * counts as it falls: two photos of which one shows nobody are never the same person.
 */
export async function benchLfw(runtime: Runtime, folder: string, pairsFile: string): Promise<BenchRow[]> {
  const engine = await loadEngine({ modelsDir: MODELS, runtime, hasGlibc: true });
  const pairs = parsePairs(await readFile(pairsFile, 'utf8'));
  const descriptors: Record<Role, Map<string, Float32Array | undefined>> = { query: new Map(), known: new Map() };
  let done = 0;

  async function describe(file: string, as: Role): Promise<Float32Array | undefined> {
    if (!descriptors[as].has(file)) {
      const { faces, width, height } = await engine.analyse(await readFile(join(folder, file)), as === 'known');
      descriptors[as].set(file, central(faces, width, height)?.descriptor);
      if (++done % 500 === 0) process.stderr.write(`LFW: ${done} photos\n`);
    }
    return descriptors[as].get(file);
  }

  const rows: BenchRow[] = [];
  for (const { compared, one, other } of WAYS) {
    const judged = [];
    for (const pair of pairs) {
      const [left, right] = [await describe(pair.one, one), await describe(pair.other, other)];
      judged.push({ ...pair, far: apart(left, right) });
    }
    rows.push({ runtime: engine.runtime, compared, ...verify(judged), 'no face': missing(descriptors[one]) });
  }
  return rows;
}

type Judged = { same: boolean; far: number };
type JudgedInFold = Judged & { fold: number };

export function verify(pairs: readonly JudgedInFold[]): BenchRow {
  const folds = [...new Set(pairs.map(({ fold }) => fold))];
  const accuracies = folds.map((fold) => {
    const limit = bestThreshold(pairs.filter((pair) => pair.fold !== fold));
    const held = pairs.filter((pair) => pair.fold === fold);
    return (100 * held.filter(({ far, same }) => far <= limit === same).length) / held.length;
  });
  const mean = accuracies.reduce((sum, value) => sum + value, 0) / accuracies.length;
  const spread = Math.sqrt(accuracies.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, accuracies.length - 1));
  return { 'accuracy %': round(mean, 2), '±': round(spread / Math.sqrt(accuracies.length), 2), ...accepted(pairs) };
}

function accepted(pairs: readonly Judged[]): BenchRow {
  return {
    'pairs of one person': pairs.filter(({ same }) => same).length,
    'of two': pairs.filter(({ same }) => !same).length,
    'balanced accuracy %': balancedAccuracy(pairs),
    'true accepts % at 1e-2': trueAccepts(pairs, 1e-2),
    'at 1e-3': trueAccepts(pairs, 1e-3),
  };
}

function bestThreshold(pairs: readonly Judged[]): number {
  const sorted = pairs.toSorted((left, right) => left.far - right.far);
  let right = pairs.filter(({ same }) => !same).length; // nobody accepted
  let best = { right, limit: 0 };
  for (const [i, { same, far }] of sorted.entries()) {
    right += same ? 1 : -1;
    const next = sorted[i + 1]?.far ?? far;
    if (right > best.right && far < Number.POSITIVE_INFINITY)
      best = { right, limit: next === Number.POSITIVE_INFINITY ? far : (far + next) / 2 };
  }
  return best.limit;
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

const missing = (descriptors: Map<string, Float32Array | undefined>) => [...descriptors.values()].filter((each) => !each).length;
