import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadEngine } from '../services/face-recognition/src/engine/load-engine.ts';
import { accepted, apart, central, type Judged, type Role, WAYS } from './engine-pairs.ts';
import { type BenchRow, round } from './figures.ts';
import { MODELS, type Runtime } from './models.ts';

type Pair = { fold: number; one: string; other: string; same: boolean };

/** LFW's list for View 2: "10 300", then for each fold 300 lines of a name and two numbers and 300 of two names with a number each. */
function parsePairs(text: string): Pair[] {
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

type JudgedInFold = Judged & { fold: number };

function verify(pairs: readonly JudgedInFold[]): BenchRow {
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

const missing = (descriptors: Map<string, Float32Array | undefined>) => [...descriptors.values()].filter((each) => !each).length;
