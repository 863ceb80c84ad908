import { silent } from '@kube-face/shared-lib/logger';
import { createEnginePool } from '../services/face-recognition/src/engine/engine-pool.ts';
import { round } from './figures.ts';
import { MODELS, type Runtime } from './models.ts';
import { cpuMs } from './process-use.ts';

/** The engine alone, every worker kept busy: what the whole path is measured against. */
export async function benchBareEngine(
  photo: Buffer,
  { runtime, workers, photos }: { runtime: Runtime; workers: number; photos: number },
): Promise<{ photosPerSecond: number; engineCpuMs: number }> {
  const engine = await createEnginePool({ workers, queueLimit: workers * 2, modelsDir: MODELS, runtime, log: silent });
  async function work(count: number): Promise<void> {
    let left = count;
    const one = async () => {
      while (left-- > 0) await engine.analyse(new Uint8Array(photo));
    };
    await Promise.all(Array.from({ length: workers + 1 }, one));
  }
  await work(workers * 20);
  const usedBefore = await cpuMs(process.pid);
  const startedAt = performance.now();
  await work(photos);
  const seconds = (performance.now() - startedAt) / 1_000;
  const engineCpuMs = round(((await cpuMs(process.pid)) - usedBefore) / photos, 2);
  await engine.close();
  return { photosPerSecond: round(photos / seconds), engineCpuMs };
}
