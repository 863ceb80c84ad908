import sharp from 'sharp';
import { loadEngine } from '../services/face-recognition/src/engine/load-engine.ts';
import type { BenchPhoto } from './engine-photos.ts';
import { type BenchRow, median, round } from './figures.ts';
import { MODELS, type Runtime } from './models.ts';

const STEPS = ['decode', 'detect', 'landmarks', 'descriptor', 'total'] as const;
const WARM_UP = 8;

/**
 * Milliseconds of one core by step, medians. `cpu` is the processor's time for the whole photo: where it is well under `total` something
 * else used the core meanwhile, and the table is not worth much.
 */
export async function benchSpeed(runtime: Runtime, photos: readonly BenchPhoto[], repeats: number): Promise<BenchRow[]> {
  sharp.concurrency(1);
  sharp.cache(false);
  const engine = await loadEngine({ modelsDir: MODELS, runtime, hasGlibc: true });
  const rows: BenchRow[] = [];
  for (const { name, faces, bytes } of photos) {
    const cpu: number[] = [];
    const timings: Record<string, number>[] = [];
    let found = 0;
    for (let i = -WARM_UP; i < repeats; i++) {
      const begun = process.cpuUsage();
      const analysis = await engine.analyse(bytes);
      const { user, system } = process.cpuUsage(begun);
      found = analysis.faces.length;
      if (i < 0) continue;
      timings.push(analysis.timings);
      cpu.push((user + system) / 1000);
    }
    const steps = STEPS.map((step) => [step, round(median(timings.map((each) => each[step] ?? 0)))]);
    rows.push({
      runtime: engine.runtime,
      photo: name,
      faces: `${found}/${faces}`,
      ...Object.fromEntries(steps),
      cpu: round(median(cpu)),
    });
  }
  return rows;
}
