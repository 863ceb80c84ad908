import { setTimeout as delay } from 'node:timers/promises';
import type { RowDataPacket } from '@kube-face/shared-lib/mysql';
import { round } from './figures.ts';
import type { Runtime } from './models.ts';
import type { PipelineSystem } from './pipeline-system.ts';
import { countCpu, cpuColumns, memoryMb } from './process-use.ts';

const UNFINISHED = 'select 1 from images where status in (0, 3) limit 1';
const LOOK_MS = 200;
const SPAN = `
  select timestampdiff(microsecond, min(started_at), max(finished_at)) / 1e6 as seconds
  from images where id > ? and status = 1`;
const WARM_PHOTOS = 500; // until V8 has compiled what runs often

/** `use`: milliseconds of a core for each photo, and memory, by process. */
export type WholePath = { photosPerSecond: number; use: Record<string, number> };

export type WholePathOptions = {
  runtime: Runtime;
  /** Of each recognition. */
  workers: number;
  processors: number;
  recognitions: number;
  photos: number;
};

async function lastId({ database }: PipelineSystem): Promise<number> {
  const [last] = await database.query<RowDataPacket[]>('select coalesce(max(id), 0) as id from images');
  return last?.id;
}

/** Queues so many photos and waits until all have results. By the database's clock, from the first claim to the last result. */
export async function drain(system: PipelineSystem, photos: number): Promise<number> {
  const before = await lastId(system);
  await system.queue(photos);
  while ((await system.database.query<RowDataPacket[]>(UNFINISHED)).length > 0) await delay(LOOK_MS);
  const [span] = await system.database.query<RowDataPacket[]>(SPAN, [before]);
  return round(photos / Number(span?.seconds));
}

/** Photos per second from the queue to the results, and where each process's time goes. */
export async function benchWholePath(
  system: PipelineSystem,
  { runtime, workers, processors, recognitions, photos }: WholePathOptions,
): Promise<WholePath> {
  const started = await Promise.all(
    Array.from({ length: recognitions }, () =>
      system.start('face-recognition', { WORKERS: String(workers), ENGINE_RUNTIME: runtime }),
    ),
  );
  // Each processor has a recognition of its own while there are enough, as pods that a Service spreads calls over would.
  const running = await Promise.all(
    Array.from({ length: processors }, (_, index) =>
      system.start('image-processor', { GRPC_ADDRESS: started[index % recognitions]?.env.GRPC_ADDRESS ?? '' }),
    ),
  );
  await drain(system, Math.min(WARM_PHOTOS, photos));
  const used = await countCpu({
    recognition: started.map(({ pid }) => pid()),
    processor: running.map(({ pid }) => pid()),
    ...system.pids,
  });
  const photosPerSecond = await drain(system, photos);
  const cpu = cpuColumns(await used(), photos);
  const [processor, recognition] = [running[0]?.pid() ?? 0, started[0]?.pid() ?? 0];
  const memory = { processorMb: await memoryMb(processor), recognitionMb: await memoryMb(recognition) };
  await system.stopServices();
  return { photosPerSecond, use: { ...cpu, ...memory } };
}
