/**
 * The gallery by itself: a search among up to a million known photos, whether it finds what a plain scan finds, memory, a restart
 * with 10,000 cached photos, and stored faces judged anew. `node --conditions=source bench/gallery.ts [--json] [--small]`
 */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silent } from '@kube-face/shared-lib/logger';
import { createDecideFaces } from '../services/face-recognition/src/decide-faces.ts';
import { createDescriptorCache } from '../services/face-recognition/src/gallery/descriptor-cache.ts';
import { watchFolder } from '../services/face-recognition/src/gallery/folder-watch.ts';
import { type Gallery, openGallery } from '../services/face-recognition/src/gallery/gallery.ts';
import { createKnownPhotoReader } from '../services/face-recognition/src/gallery/known-photo.ts';
import { createSearchIndex } from '../services/face-recognition/src/gallery/search-index.ts';
import { createSearchThread } from '../services/face-recognition/src/gallery/search-thread.ts';
import type { BenchRow } from './figures.ts';
import { createPeople, LENGTH } from './gallery-descriptors.ts';

const MODEL = { name: 'bench', length: LENGTH, metric: 'euclidean' } as const;
const PHOTOS_OF_ONE = 4;

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

const round = (value: number, digits = 2) => Number(value.toFixed(digits));

/** Half of the searches are for photos of known people, half for strangers. */
export function benchSearch(sizes: readonly number[]): BenchRow[] {
  const people = createPeople(1);
  const index = createSearchIndex(MODEL);
  const packed = new Float32Array((sizes.at(-1) ?? 0) * LENGTH);
  const baseMb = process.memoryUsage().rss / 1e6;
  const familiar: Float32Array[] = [];
  let person = people.person();

  return sizes.map((size) => {
    let fillMs = 0;
    for (let row = index.size; row < size; row++) {
      if (row % PHOTOS_OF_ONE === 0) {
        person = people.person();
        if (row % (4 * PHOTOS_OF_ONE) === 0 && familiar.length < 1_000) familiar.push(person);
      }
      const descriptor = people.photoOf(person);
      packed.set(descriptor, row * LENGTH);
      const startedAt = performance.now();
      index.put(`person_${row}.jpg`, descriptor);
      fillMs += performance.now() - startedAt;
    }

    const queries = Array.from({ length: 400 }, (_, i) =>
      people.photoOf(i % 2 ? (familiar[i % familiar.length] as Float32Array) : people.person()),
    );
    for (const query of queries.slice(0, 50)) index.nearest(query);
    const times = queries.map((query) => {
      const startedAt = performance.now();
      index.nearest(query);
      return performance.now() - startedAt;
    });

    const checked = queries.slice(0, size > 100_000 ? 40 : 400);
    const same = checked.filter((query) => index.nearest(query)[0]?.name === `person_${scan(packed, size, query)}.jpg`).length;
    return {
      'known photos': size,
      'median ms': round(quantile(times, 0.5), 3),
      'p99 ms': round(quantile(times, 0.99), 3),
      'same as a scan': `${same} of ${checked.length}`,
      'added a second': Math.round((size / fillMs) * 1_000),
      // Without the copy that the plain scan reads.
      'MB more than at the start': Math.round(process.memoryUsage().rss / 1e6 - baseMb - (size * LENGTH * 4) / 1e6),
    };
  });
}

/** The nearest row, by looking at every number. */
function scan(packed: Float32Array, rows: number, query: Float32Array): number {
  let nearest = -1;
  let least = Number.POSITIVE_INFINITY;
  for (let row = 0; row < rows; row++) {
    let squared = 0;
    for (let i = 0, at = row * LENGTH; i < LENGTH; i++, at++) squared += ((query[i] as number) - (packed[at] as number)) ** 2;
    if (squared < least) {
      least = squared;
      nearest = row;
    }
  }
  return nearest;
}

function failOnDeath(error: Error): void {
  throw error;
}

/** A folder of `count` files of 20 kB, opened three times: nothing cached, everything in the index, only entries left. */
export async function benchColdStart(count: number): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'kube-face-bench-'));
  const people = createPeople(2);
  const filling = Buffer.alloc(20_000);
  try {
    for (let i = 0; i < count; i++) {
      filling.writeUInt32LE(i);
      await writeFile(join(folder, `person_${i}.jpg`), filling);
    }
    const rows: BenchRow[] = [];
    for (const start of ['nothing cached, an engine that takes no time', 'as it was left', 'entries, but no index']) {
      if (start.startsWith('entries')) {
        const [model] = await readdir(join(folder, '.gallery'));
        await rm(join(folder, '.gallery', model as string, 'index'));
      }
      const startedAt = performance.now();
      const { gallery, computed, close } = await openOver(folder, () => people.photoOf(people.person()));
      rows.push({ start, photos: gallery.size, computed: computed(), seconds: round((performance.now() - startedAt) / 1_000) });
      await close();
    }
    return rows;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function openOver(
  folder: string,
  compute: () => Float32Array,
): Promise<{ gallery: Gallery; computed: () => number; close: () => Promise<void> }> {
  const search = createSearchThread({ ...MODEL, onDeath: failOnDeath });
  const cache = createDescriptorCache({ folder: join(folder, '.gallery'), model: MODEL, log: silent, now: Date.now });
  const ready = Promise.withResolvers<void>();
  let computed = 0;
  const findFaces = async () => {
    computed++;
    return { faces: 1, descriptor: compute() };
  };
  const gallery = openGallery({
    watch: (handlers) => watchFolder({ folder, pollMs: 2_000, onDeath: failOnDeath, ...handlers }),
    read: createKnownPhotoReader({ folder, cache, examined: new Map(), findFaces, now: () => Date.now() + 10_000 }), // nothing counts as fresh
    cache,
    search,
    log: silent,
    now: Date.now,
    parallel: 8,
    onReady: ready.resolve,
  });
  await ready.promise;
  return {
    gallery,
    computed: () => computed,
    async close() {
      await gallery.close();
      await search.close();
    },
  };
}

/** Stored faces of strangers judged anew, by everybody and after one person was added. */
export async function benchDecide(faces: number, known: number): Promise<BenchRow[]> {
  const people = createPeople(3);
  const search = createSearchThread({ ...MODEL, onDeath: failOnDeath });
  const put = Array.from({ length: known }, (_, i) => ({ name: `person_${i}.jpg`, descriptor: people.photoOf(people.person()) }));
  search.change({ version: 1, put, removed: [] });
  const descriptors = Array.from({ length: faces }, () => new Uint8Array(people.photoOf(people.person()).buffer));
  const decide = createDecideFaces({ search, length: LENGTH, now: () => performance.now() });
  const rows: BenchRow[] = [];
  for (const [against, among] of [
    ['one new person with five photos', put.slice(0, 5).map(({ name }) => name)],
    ['everybody', []],
  ] as const) {
    const some = among.length > 0 ? descriptors : descriptors.slice(0, faces / 10);
    let slowestMs = 0;
    let lastTick = performance.now();
    const ticks = setInterval(() => {
      slowestMs = Math.max(slowestMs, performance.now() - lastTick);
      lastTick = performance.now();
    }, 1);
    const startedAt = performance.now();
    await decide({ descriptors: some, among: [...among], threshold: 0.535 }, new AbortController().signal);
    rows.push({
      'stored faces': some.length,
      'known photos': known,
      against,
      seconds: round((performance.now() - startedAt) / 1_000),
      'longest pause of the serving thread, ms': round(slowestMs, 1),
    });
    clearInterval(ticks);
  }
  await search.close();
  return rows;
}

export type GalleryBench = { search: BenchRow[]; coldStart: BenchRow[]; decide: BenchRow[] };

export async function benchGallery({ small = false } = {}): Promise<GalleryBench> {
  return {
    decide: await benchDecide(small ? 10_000 : 100_000, 10_000),
    coldStart: await benchColdStart(small ? 1_000 : 10_000),
    search: benchSearch(small ? [1_000, 10_000] : [1_000, 10_000, 100_000, 1_000_000]),
  };
}

if (import.meta.main) {
  const result = await benchGallery({ small: process.argv.includes('--small') });
  if (process.argv.includes('--json')) console.log(JSON.stringify(result, null, 2));
  else for (const rows of Object.values(result)) console.table(rows);
}
