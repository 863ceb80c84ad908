/**
 * Memory of each service under load: photos are posted as fast as they are recognised, and pages are looked at.
 * `node --conditions=source bench/memory.ts`
 *
 *   --minutes N      how long (2; an hour's worth at 10 million photos a day is 420,000 photos)
 *   --runtime NAME   native (default) or wasm
 *   --workers N      of face recognition (1)
 *   --instant        recognition answers at once and is not measured: the others get to many photos in little time
 *   --json           JSON instead of a table
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { RowDataPacket } from '@kube-face/shared-lib/mysql';
import { type BenchRow, quantile } from './figures.ts';
import { startInstantRecognition } from './instant-recognition.ts';
import type { Runtime } from './models.ts';
import { makePhoto, type PipelineSystem, startPipelineSystem } from './pipeline-system.ts';
import { memoryMb } from './process-use.ts';

export type MemoryBenchOptions = { minutes?: number; runtime?: Runtime; workers?: number; isInstant?: boolean };

const LOOK_MS = 100;
const SAMPLE_EVERY = 20; // looks
const POSTED_AT_ONCE = 200;
const BACKLOG = 400; // so much always waits

const UNFINISHED = 'select count(*) as photos from images where status in (0, 3)';

async function startAll(system: PipelineSystem, { runtime, workers, isInstant }: Required<MemoryBenchOptions>) {
  const instant = isInstant ? await startInstantRecognition() : undefined;
  const recognition = instant
    ? undefined
    : await system.start('face-recognition', { WORKERS: String(workers), ENGINE_RUNTIME: runtime });
  const env = { GRPC_ADDRESS: instant?.address ?? recognition?.env.GRPC_ADDRESS ?? '' };
  const [processor, receiver, frontend] = await Promise.all([
    system.start('image-processor', env),
    system.start('receiver', env),
    system.start('frontend', env),
  ]);
  const services = { receiver, 'image-processor': processor, ...(recognition && { 'face-recognition': recognition }), frontend };
  return { services, receiver, frontend, stop: () => instant?.stop() };
}

async function post(url: string, system: PipelineSystem, photos: number): Promise<void> {
  const paths = await Promise.all(Array.from({ length: photos }, async () => ({ path: await system.newPhoto() })));
  const response = await fetch(`${url}/images/post`, { method: 'POST', body: JSON.stringify({ paths }) });
  await response.text();
  if (response.status !== 200) throw new Error(`the receiver answered ${response.status}`);
}

async function look(urls: readonly string[]): Promise<void> {
  for (const url of urls) await (await fetch(url)).arrayBuffer();
}

/** Resident memory once warm (a tenth of the time has passed), at the end (median of the last tenth) and at most. */
function rowOf(service: string, samples: readonly number[], more: BenchRow): BenchRow {
  const tenth = Math.max(1, Math.floor(samples.length / 10));
  return {
    service,
    ...more,
    warmMb: quantile(samples.slice(tenth, tenth * 2), 0.5),
    endMb: quantile(samples.slice(-tenth), 0.5),
    mostMb: Math.max(...samples),
  };
}

export async function benchMemory({
  minutes = 2,
  runtime = 'native',
  workers = 1,
  isInstant = false,
}: MemoryBenchOptions = {}): Promise<BenchRow[]> {
  const system = await startPipelineSystem(await makePhoto());
  try {
    const { services, receiver, frontend, stop } = await startAll(system, { minutes, runtime, workers, isInstant });
    const samples = new Map(Object.keys(services).map((name) => [name, [] as number[]]));
    const endAt = performance.now() + minutes * 60_000;
    let photos = 0;
    for (let n = 0; performance.now() < endAt; n += 1) {
      const [left] = await system.database.query<RowDataPacket[]>(UNFINISHED);
      if (left?.photos < BACKLOG) {
        await post(receiver.url, system, POSTED_AT_ONCE);
        photos += POSTED_AT_ONCE;
      } else await delay(LOOK_MS);
      if (n % SAMPLE_EVERY > 0) continue;
      await look([`${frontend.url}/`, `${receiver.url}/images`, `${receiver.url}/stats`]);
      for (const [name, service] of Object.entries(services)) samples.get(name)?.push(await memoryMb(service.pid()));
    }
    stop();
    return [...samples].map(([name, of]) => rowOf(name, of, { minutes, photos }));
  } finally {
    await system.stop();
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '2' },
      runtime: { type: 'string', default: 'native' },
      workers: { type: 'string', default: '1' },
      instant: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const rows = await benchMemory({
    minutes: Number(values.minutes),
    runtime: values.runtime === 'wasm' ? 'wasm' : 'native',
    workers: Number(values.workers),
    isInstant: values.instant,
  });
  if (values.json) console.log(JSON.stringify(rows, null, 2));
  else console.table(rows);
}
