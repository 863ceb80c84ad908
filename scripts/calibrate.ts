/**
 * `npm run calibrate -- DIRECTORY`: one subfolder for each person, with photos of nobody else. Prints how often strangers would be named and
 * people missed at each threshold, on these photos, and proposes one for MATCH_THRESHOLD. Honours MODEL_DIR. Nothing is written.
 */
import { readdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { extname, join } from 'node:path';
import { silent } from '@kube-face/shared-lib/logger';
import { buildModels } from '../services/face-recognition/scripts/models/build.ts';
import { type Analysis, createEnginePool } from '../services/face-recognition/src/engine/engine.ts';
import { measure, type Portrait, proposeThreshold, ratesAt } from './calibrate/error-rates.ts';
import { plot } from './calibrate/plot.ts';

// As in the service: ONNX Runtime's own binaries tell their maker about every session otherwise.
process.env.ORT_DISABLE_TELEMETRY = '1';

const PHOTO_TYPES = ['.jpg', '.jpeg', '.png', '.webp'];
const EVERY_MS = 2_000;
const MODELS = join(import.meta.dirname, '../services/face-recognition/models');

const [directory] = process.argv.slice(2);
if (directory === undefined) {
  console.error('usage: npm run calibrate -- DIRECTORY   (one subfolder for each person, at least two people)');
  process.exit(2);
}

const photos = await listPhotos(directory);
const people = new Set(photos.map(({ person }) => person));
if (people.size < 2) {
  console.error(`${directory} has photos of ${people.size} people in subfolders; it takes two at least`);
  process.exit(1);
}

await buildModels(MODELS);
const modelDir = process.env.MODEL_DIR || undefined;
const pool = await createEnginePool({ workers: availableParallelism(), queueLimit: 0, modelsDir: MODELS, modelDir, log: silent });
const { model } = pool;
console.log(
  `${photos.length} photos of ${people.size} people; model ${model.name} on ${pool.runtime}, its threshold ${model.threshold}`,
);

const leftOut: string[] = [];
const portraits = await describeAll();
await pool.close();
for (const line of leftOut) console.log(`left out: ${line}`);

const distances = measure(portraits, model.metric);
if (distances.nearestSame.length === 0 || distances.nearestOther.length === 0) {
  console.error('there is nothing to compare: it takes two people, and two photos of one of them');
  process.exit(1);
}
const proposed = proposeThreshold(distances);

console.log('');
for (const line of plot(
  [
    { name: 'same person', values: distances.same },
    { name: 'two people', values: distances.others },
    { name: 'nearest of the same', values: distances.nearestSame },
    { name: 'nearest of others', values: distances.nearestOther },
  ],
  proposed,
)) {
  console.log(line);
}

console.log('\n             two people   one person   strangers   people');
console.log('threshold    taken for one  for two       named     missed');
for (const threshold of thresholds()) {
  const { falseMatch, falseNonMatch, strangersNamed, peopleMissed } = ratesAt(threshold, distances);
  const notes = [threshold === model.threshold ? "the model's own" : '', threshold === proposed ? 'proposed' : ''].filter(
    Boolean,
  );
  const cells = [falseMatch, falseNonMatch, strangersNamed, peopleMissed].map((share) =>
    `${(100 * share).toFixed(2)} %`.padStart(12),
  );
  console.log(`${threshold.toFixed(3).padStart(9)} ${cells.join('')}  ${notes.join(', ')}`);
}
console.log(
  `\nMATCH_THRESHOLD=${proposed.toFixed(3)} makes the fewest mistakes on these photos, a stranger's name counted twice.`,
);
if (distances.nearestSame.length < 100) console.log('They are few: with so little to go by, 0.02 more or less is chance.');

async function listPhotos(folder: string): Promise<{ person: string; path: string }[]> {
  const found = [];
  for (const entry of (await readdir(folder, { withFileTypes: true })).filter((each) => each.isDirectory())) {
    for (const file of await readdir(join(folder, entry.name))) {
      if (PHOTO_TYPES.includes(extname(file).toLowerCase()))
        found.push({ person: entry.name, path: join(folder, entry.name, file) });
    }
  }
  return found;
}

/** Each photo twice: as one that is known, and as one that is asked about. */
async function describeAll(): Promise<Portrait[]> {
  let told = Date.now();
  let done = 0;
  const described = await Promise.all(
    photos.map(async ({ person, path }) => {
      const known = await analyse(path, true);
      const asked = known && (await analyse(path, false));
      done++;
      if (Date.now() - told > EVERY_MS) {
        told = Date.now();
        console.error(`looked at ${done} of ${photos.length} photos`);
      }
      return known && asked ? [{ person, known, asked }] : [];
    }),
  );
  return described.flat();
}

/** The largest face's descriptor; who has none, or is not the only one, says so. */
async function analyse(path: string, known: boolean): Promise<Float32Array | undefined> {
  let analysis: Analysis;
  try {
    analysis = await pool.analyse(await readFile(path), { known, priority: 'background' });
  } catch (error) {
    leftOut.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
  const [face, ...others] = analysis.faces;
  if (!face) leftOut.push(`${path}: no face`);
  else if (known && others.length > 0) console.error(`${path} shows ${others.length + 1} faces; the largest is taken`);
  return face?.descriptor;
}

function thresholds(): number[] {
  const step = model.threshold / 50;
  const around = Array.from({ length: 11 }, (_, i) => model.threshold + (i - 5) * 2 * step);
  return [...new Set([...around, proposed])].toSorted((left, right) => left - right);
}
