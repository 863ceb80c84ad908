import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
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
 * `strangers` none. The nearest known photo within the threshold decides.
 */
export async function benchFolder(runtime: Runtime, folder: string): Promise<BenchRow[]> {
  const engine = await loadEngine({ modelsDir: MODELS, runtime, hasGlibc: true });
  const lines = (await readFile(join(folder, 'labels.csv'), 'utf8')).trim().split(/\r?\n/).slice(1);
  const photos = [];
  for (const line of lines) {
    const [kind = '', file = '', person = ''] = line.split(',');
    const { faces, width, height } = await engine.analyse(await readFile(join(folder, kind, file)), kind === 'known');
    photos.push({ kind, person, descriptor: central(faces, width, height)?.descriptor });
  }
  const known = photos.filter(({ kind }) => kind === 'known');
  const nearest = photos
    .filter(({ kind }) => kind !== 'known')
    .map(({ kind, person, descriptor }) => {
      const found = known
        .map((each) => ({
          ...each,
          far: descriptor && each.descriptor ? distance(descriptor, each.descriptor) : Number.POSITIVE_INFINITY,
        }))
        .toSorted((left, right) => left.far - right.far)[0];
      return { kind, person, named: found?.person, far: found?.far ?? Number.POSITIVE_INFINITY };
    });

  const { threshold } = engine.model;
  return [threshold - 0.04, threshold - 0.02, threshold, threshold + 0.02, threshold + 0.04].map((limit) => {
    const within = nearest.filter(({ far }) => far <= limit);
    const people = within.filter(({ kind }) => kind === 'unknown');
    const right = people.filter(({ person, named }) => person === named).length;
    return {
      runtime: engine.runtime,
      threshold: `${round(limit, 3)}${limit === threshold ? ' *' : ''}`,
      'named right': `${right} of ${nearest.filter(({ kind }) => kind === 'unknown').length}`,
      'named wrongly': people.length - right,
      'strangers named': `${within.length - people.length} of ${nearest.filter(({ kind }) => kind === 'strangers').length}`,
      'no face': nearest.filter(({ far }) => far === Number.POSITIVE_INFINITY).length,
    };
  });
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
  const descriptors = { query: new Map<string, Float32Array | undefined>(), known: new Map<string, Float32Array | undefined>() };
  let done = 0;

  async function describe(file: string, as: keyof typeof descriptors): Promise<Float32Array | undefined> {
    if (!descriptors[as].has(file)) {
      const { faces, width, height } = await engine.analyse(await readFile(join(folder, file)), as === 'known');
      descriptors[as].set(file, central(faces, width, height)?.descriptor);
      if (++done % 500 === 0) process.stderr.write(`LFW: ${done} photos\n`);
    }
    return descriptors[as].get(file);
  }

  const rows: BenchRow[] = [];
  for (const [name, one, other] of [
    ['face by face', 'query', 'query'],
    ['face by known photo', 'query', 'known'],
    ['known photos, both', 'known', 'known'],
  ] as const) {
    const judged = [];
    for (const pair of pairs) {
      const [left, right] = [await describe(pair.one, one), await describe(pair.other, other)];
      judged.push({ ...pair, far: left && right ? distance(left, right) : Number.POSITIVE_INFINITY });
    }
    rows.push({ runtime: engine.runtime, compared: name, ...verify(judged), 'no face': missing(descriptors[one]) });
  }
  return rows;
}

type Judged = Pair & { far: number };

export function verify(pairs: readonly Judged[]): BenchRow {
  const folds = [...new Set(pairs.map(({ fold }) => fold))];
  const accuracies = folds.map((fold) => {
    const limit = bestThreshold(pairs.filter((pair) => pair.fold !== fold));
    const held = pairs.filter((pair) => pair.fold === fold);
    return (100 * held.filter(({ far, same }) => far <= limit === same).length) / held.length;
  });
  const mean = accuracies.reduce((sum, value) => sum + value, 0) / accuracies.length;
  const spread = Math.sqrt(accuracies.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, accuracies.length - 1));
  return {
    pairs: pairs.length,
    'accuracy %': round(mean, 2),
    '±': round(spread / Math.sqrt(accuracies.length), 2),
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

/** The share of pairs of one person that is accepted where so large a share of the others is. */
function trueAccepts(pairs: readonly Judged[], falseAccepts: number): number {
  const others = pairs.filter(({ same }) => !same).map(({ far }) => far);
  const limit = others.toSorted((left, right) => left - right)[Math.floor(falseAccepts * others.length)] ?? 0;
  const own = pairs.filter(({ same }) => same);
  return percent(own.filter(({ far }) => far < limit).length, own.length);
}

const missing = (descriptors: Map<string, Float32Array | undefined>) => [...descriptors.values()].filter((each) => !each).length;
