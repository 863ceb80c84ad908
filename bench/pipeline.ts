/**
 * The whole path around the engine: photos per second against the bare engine on the same workers, from post to result on an
 * idle system, two of each against one, what the processor does by itself, and memory.
 * `node --conditions=source bench/pipeline.ts [--json] [--small]`
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { silent } from '@kube-face/shared-lib/logger';
import type { RowDataPacket } from '@kube-face/shared-lib/mysql';
import { createEnginePool } from '../services/face-recognition/src/engine/engine-pool.ts';
import { startFakeFaceServer } from '../services/image-processor/test/fake-face-server.ts';
import type { BenchRow } from './figures.ts';
import { cpuMs, makePhoto, memoryMb, type PipelineSystem, startPipelineSystem } from './pipeline-system.ts';

const MODELS = fileURLToPath(new URL('../services/face-recognition/models', import.meta.url));
const UNFINISHED = 'select count(*) as photos from images where status in (0, 3)';
const SPAN = `
  select count(*) as photos, timestampdiff(microsecond, min(started_at), max(finished_at)) / 1e6 as seconds from images where id > ?`;

const round = (value: number, digits = 1) => Number(value.toFixed(digits));

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** The engine alone, every worker kept busy: what the whole path is measured against. */
export async function benchBareEngine(
  photo: Buffer,
  { workers, photos }: { workers: number; photos: number },
): Promise<BenchRow> {
  const engine = await createEnginePool({ workers, queueLimit: workers * 2, modelsDir: MODELS, log: silent });
  async function work(count: number): Promise<void> {
    let left = count;
    const one = async () => {
      while (left-- > 0) await engine.analyse(new Uint8Array(photo));
    };
    await Promise.all(Array.from({ length: workers + 1 }, one));
  }
  await work(workers * 20);
  const startedAt = performance.now();
  await work(photos);
  const seconds = (performance.now() - startedAt) / 1_000;
  const { runtime } = engine;
  await engine.close();
  return { bench: 'bare engine', workers, runtime, photosPerSecond: round(photos / seconds) };
}

/** Works through a backlog; `start` brings up what works. By the database's clock, from the first claim to the last result. */
async function drain(
  { database, queue, stopServices }: PipelineSystem,
  photos: number,
  start: () => Promise<void>,
): Promise<number> {
  const [last] = await database.query<RowDataPacket[]>('select coalesce(max(id), 0) as id from images');
  await queue(photos);
  await start();
  for (;;) {
    const [row] = await database.query<RowDataPacket[]>(UNFINISHED);
    if (row?.photos === 0) break;
    await delay(50);
  }
  const [span] = await database.query<RowDataPacket[]>(SPAN, [last?.id]);
  await stopServices();
  return round(photos / Number(span?.seconds));
}

/** `pairs` processors, each with a face recognition of its own. */
export async function benchWholePath(
  system: PipelineSystem,
  { pairs, workers, photos }: { pairs: number; workers: number; photos: number },
): Promise<BenchRow> {
  const memory: Record<string, number> = {};
  const photosPerSecond = await drain(system, photos, async () => {
    for (let pair = 0; pair < pairs; pair += 1) {
      const recognition = await system.start('face-recognition', { WORKERS: String(workers) });
      const processor = await system.start('image-processor', { GRPC_ADDRESS: recognition.env.GRPC_ADDRESS ?? '' });
      if (pair > 0) continue;
      const watch = async () => {
        while (!processor.hasEnded()) {
          memory.processorMb = await memoryMb(processor.pid()).catch(() => memory.processorMb ?? 0);
          memory.recognitionMb = await memoryMb(recognition.pid()).catch(() => memory.recognitionMb ?? 0);
          await delay(500);
        }
      };
      void watch();
    }
  });
  return { bench: 'whole path', processors: pairs, workers: pairs * workers, photosPerSecond, ...memory };
}

/** The processor, MySQL and nsqd by themselves: recognition answers at once. */
export async function benchProcessorAlone(system: PipelineSystem, { photos }: { photos: number }): Promise<BenchRow> {
  const faces = await startFakeFaceServer({ workers: 16 });
  const candidates = [{ imageName: 'alice.jpg', distance: 0.25 }];
  const face = {
    box: { x: 0, y: 0, width: 9, height: 9 },
    score: 1,
    imageName: 'alice.jpg',
    distance: 0.25,
    candidates,
    descriptor: Buffer.alloc(512),
  };
  faces.answer = () => ({ imageName: 'alice.jpg', outcome: 'match', faces: [face], model: 'fake', galleryVersion: 1 });
  let usedMs = 0;
  const photosPerSecond = await drain(system, photos, async () => {
    const processor = await system.start('image-processor', { GRPC_ADDRESS: faces.address });
    const before = await cpuMs(processor.pid());
    void (async () => {
      while (!processor.hasEnded()) {
        usedMs = (await cpuMs(processor.pid()).catch(() => before + usedMs)) - before;
        await delay(100);
      }
    })();
  });
  faces.stop();
  return { bench: 'processor with instant recognition', photosPerSecond, cpuMsPerPhoto: round(usedMs / photos, 2) };
}

/** One post at a time: from sending it to the row holding the result. */
export async function benchIdle(system: PipelineSystem, { posts }: { posts: number }): Promise<BenchRow> {
  const recognition = await system.start('face-recognition', { WORKERS: '1' });
  const env = { GRPC_ADDRESS: recognition.env.GRPC_ADDRESS ?? '' };
  await system.start('image-processor', env);
  const receiver = await system.start('receiver', env);
  const times: number[] = [];
  for (let post = -3; post < posts; post += 1) {
    const body = JSON.stringify({ path: await system.newPhoto() });
    const sentAt = performance.now();
    const response = await fetch(`${receiver.url}/image/post`, { method: 'POST', headers: { accept: 'application/json' }, body });
    const { images } = (await response.json()) as { images: { id: number }[] };
    for (;;) {
      const [row] = await system.database.execute<RowDataPacket[]>('select status from images where id = ?', [
        images[0]?.id ?? 0,
      ]);
      if (row?.status === 1) break;
    }
    if (post >= 0) times.push(performance.now() - sentAt); // the first three find everything cold
  }
  await system.stopServices();
  return { bench: 'post to result, idle', posts, p50Ms: round(quantile(times, 0.5)), p99Ms: round(quantile(times, 0.99)) };
}

export async function benchPipeline({ small = false } = {}): Promise<BenchRow[]> {
  const photo = await makePhoto();
  const photos = small ? 300 : 2_000;
  const system = await startPipelineSystem(photo);
  try {
    const rows = [
      await benchBareEngine(photo, { workers: 2, photos }),
      await benchWholePath(system, { pairs: 1, workers: 2, photos }),
    ];
    rows.push(
      await benchBareEngine(photo, { workers: 1, photos }),
      await benchWholePath(system, { pairs: 1, workers: 1, photos }),
    );
    rows.push(await benchWholePath(system, { pairs: 2, workers: 1, photos }));
    rows.push(await benchProcessorAlone(system, { photos: photos * 2 }));
    rows.push(await benchIdle(system, { posts: small ? 20 : 100 }));
    return rows;
  } finally {
    await system.stop();
  }
}

if (import.meta.main) {
  const rows = await benchPipeline({ small: process.argv.includes('--small') });
  if (process.argv.includes('--json')) console.log(JSON.stringify(rows, null, 2));
  else for (const { bench, ...figures } of rows) console.log(`${String(bench).padEnd(36)}`, figures);
}
