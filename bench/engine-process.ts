/**
 * Engines in a process of their own, so that what it takes to start and to keep them can be seen: time from the process's start until they
 * are ready, photos in a second, resident memory. A part of bench/engine.ts; by itself: `node --conditions=source bench/engine-process.ts
 * RUNTIME WORKERS PHOTOS`, which prints JSON.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { silent } from '@kube-face/shared-lib/logger';
import { createEnginePool } from '../services/face-recognition/src/engine/engine.ts';
import { type BenchRow, round } from './engine-figures.ts';
import { benchPhotos } from './engine-photos.ts';

export const MODELS = fileURLToPath(new URL('../services/face-recognition/models', import.meta.url));

const MARKS = 10;

type Report = { runtime: string; readyMs: number; readyMb: number; photosPerSecond: number; residentMb: number[] };

/** One row for each number of workers; `photos` go through the engine before memory is read for the last time. */
export async function benchProcesses(
  runtime: 'native' | 'wasm',
  workers: readonly number[],
  photos: number,
): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  let alone = Number.NaN;
  for (const count of workers) {
    const program = [fileURLToPath(import.meta.url), runtime, String(count), String(photos)];
    const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=source', ...program]);
    const report = JSON.parse(stdout) as Report;
    if (count === 1) alone = report.photosPerSecond;
    rows.push({
      runtime: report.runtime,
      workers: count,
      'ready ms': Math.round(report.readyMs),
      'photos/s': round(report.photosPerSecond),
      'times one': round(report.photosPerSecond / alone, 2),
      'MB ready': report.readyMb,
      [`MB along ${photos} photos`]: report.residentMb.join(' '),
    });
  }
  return rows;
}

async function run(runtime: 'native' | 'wasm', workers: number, photos: number): Promise<Report> {
  const pool = await createEnginePool({ workers, queueLimit: 2 * workers, modelsDir: MODELS, runtime, log: silent });
  const readyMs = performance.now();
  const readyMb = residentMb();
  const all = await benchPhotos();
  // One in ten is large or crowded, as photos are.
  const [small, ...others] = all.map(({ bytes }) => bytes);
  const bytesOf = (i: number) => Uint8Array.from((i % 10 === 9 ? others[((i / 10) % others.length) | 0] : small) ?? []);

  const residents: number[] = [];
  const begun = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: workers }, async () => {
      while (next < photos) {
        const i = next++;
        await pool.analyse(bytesOf(i));
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
  const [runtime = 'native', workers = '1', photos = '0'] = process.argv.slice(2);
  console.log(JSON.stringify(await run(runtime === 'wasm' ? 'wasm' : 'native', Number(workers), Number(photos))));
}
