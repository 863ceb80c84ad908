/**
 * Engines in a process of their own, so that what it takes to start and to keep them can be seen: time from the process's start until they
 * are ready, photos in a second, resident memory. A part of bench/engine.ts; by itself: `node --conditions=source bench/engine-process.ts
 * RUNTIME WORKERS PHOTOS FILE...`, which prints JSON.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { silent } from '@kube-face/shared-lib/logger';
import { createEnginePool } from '../services/face-recognition/src/engine/engine.ts';
import type { BenchPhoto } from './engine-photos.ts';
import { type BenchRow, round } from './figures.ts';
import { MODELS, type Runtime } from './models.ts';

type Report = { runtime: string; readyMs: number; readyMb: number; photosPerSecond: number; residentMb: number[] };

const MARKS = 10;

/** One row for one worker and one for two, which look at `soak` photos of these kinds (one at 300 of them, if that is less). */
export async function benchProcesses(runtime: Runtime, soak: number, kinds: readonly BenchPhoto[]): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'kube-face-bench-'));
  const files = kinds.map((_, i) => join(folder, `${i}.jpg`));
  await Promise.all(files.map((file, i) => writeFile(file, kinds[i]?.bytes ?? '')));
  const rows: BenchRow[] = [];
  let alone = Number.NaN;
  for (const [count, photos] of [
    [1, Math.min(soak, 300)],
    [2, soak],
  ] as const) {
    const report = await runApart([runtime, String(count), String(photos), ...files]);
    if (count === 1) alone = report.photosPerSecond;
    rows.push({
      runtime: report.runtime,
      workers: count,
      'ready ms': Math.round(report.readyMs),
      'photos/s': round(report.photosPerSecond),
      'times one': round(report.photosPerSecond / alone, 2),
      'MB ready': report.readyMb,
      photos,
      'MB along them': report.residentMb.join(' '),
    });
  }
  await rm(folder, { recursive: true });
  return rows;
}

async function runApart(args: string[]): Promise<Report> {
  // As in the image: without them glibc keeps memory for every thread that ever asked for some, and the gaps that large photos leave.
  const env = { ...process.env, MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: String(2 ** 20) };
  const program = ['--conditions=source', fileURLToPath(import.meta.url), ...args];
  const { stdout } = await promisify(execFile)(process.execPath, program, { env });
  return JSON.parse(stdout) as Report;
}

async function run(runtime: Runtime, workers: number, photos: number, files: string[]): Promise<Report> {
  const pool = await createEnginePool({ workers, queueLimit: 2 * workers, modelsDir: MODELS, runtime, log: silent });
  const readyMs = performance.now();
  const readyMb = residentMb();
  // One in ten is large or crowded.
  const [small = '', ...others] = files;
  const fileOf = (i: number) => (i % 10 === 9 ? others[Math.floor(i / 10) % others.length] : undefined) ?? small;

  const residents: number[] = [];
  const begun = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: workers }, async () => {
      while (next < photos) {
        const i = next++;
        await pool.analyse(await readFile(fileOf(i)));
        if ((i + 1) % Math.ceil(photos / MARKS) === 0) residents.push(residentMb());
      }
    }),
  );
  const seconds = (performance.now() - begun) / 1000;
  await pool.close();
  return { runtime: pool.runtime, readyMs, readyMb, photosPerSecond: photos / seconds, residentMb: residents };
}

/** Of the whole process, by the kernel: what a container's limit counts. */
function residentMb(): number {
  const [, pages = '0'] = readFileSync('/proc/self/statm', 'utf8').split(' ');
  return Math.round((Number(pages) * 4096) / 1e6);
}

if (import.meta.main) {
  const [runtime = 'native', workers = '1', photos = '0', ...files] = process.argv.slice(2);
  console.log(JSON.stringify(await run(runtime === 'wasm' ? 'wasm' : 'native', Number(workers), Number(photos), files)));
}
