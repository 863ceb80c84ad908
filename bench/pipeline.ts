/**
 * The whole path around the engine: photos per second against the bare engine on the same workers in the same run, two of each
 * against one, what the processor does by itself, and the time from post to result on an idle system.
 * `node --conditions=source bench/pipeline.ts`
 *
 *   --runtime NAME   native or wasm alone
 *   --photos N       of each measurement (1000)
 *   --rounds N       of bare engine and whole path in turn, of which the fastest of each counts (1): what else runs on the
 *                    machine makes them slower, never faster
 *   --small          a fraction of it, to see that it runs
 *   --json           JSON instead of a table
 */
import { parseArgs } from 'node:util';
import { benchBareEngine } from './bare-engine.ts';
import { type BenchRow, percent } from './figures.ts';
import { benchIdle } from './idle.ts';
import { startInstantRecognition } from './instant-recognition.ts';
import type { Runtime } from './models.ts';
import { makePhoto, type PipelineSystem, startPipelineSystem } from './pipeline-system.ts';
import { countCpu, cpuColumns } from './process-use.ts';
import { benchWholePath, drain } from './whole-path.ts';

export type PipelineBenchOptions = { runtimes?: readonly Runtime[]; photos?: number; posts?: number; rounds?: number };
export type PipelineTables = Record<string, BenchRow[]>;

/** The processor, MySQL and nsqd by themselves: recognition answers at once. */
export async function benchProcessorAlone(system: PipelineSystem, photos: number): Promise<BenchRow> {
  const faces = await startInstantRecognition();
  const processor = await system.start('image-processor', { GRPC_ADDRESS: faces.address });
  await drain(system, photos);
  const used = await countCpu({ processor: processor.pid(), ...system.pids });
  const photosPerSecond = await drain(system, photos);
  const cpu = cpuColumns(await used(), photos);
  await system.stopServices();
  faces.stop();
  return { photosPerSecond, ...cpu };
}

const fastest = <T extends { photosPerSecond: number }>(runs: readonly T[]): T =>
  runs.reduce((best, run) => (run.photosPerSecond > best.photosPerSecond ? run : best));

/** The engine alone and the whole path in turn, with one worker and with two. */
async function benchShares(
  system: PipelineSystem,
  photo: Buffer,
  { runtime, photos, rounds }: { runtime: Runtime; photos: number; rounds: number },
): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const workers of [1, 2]) {
    const bareRuns = [];
    const pathRuns = [];
    for (let round = 0; round < rounds; round += 1) {
      bareRuns.push(await benchBareEngine(photo, { runtime, workers, photos }));
      pathRuns.push(await benchWholePath(system, { runtime, workers, processors: 1, recognitions: 1, photos }));
    }
    const [bare, path] = [fastest(bareRuns), fastest(pathRuns)];
    rows.push({
      runtime,
      workers,
      bareEnginePerSecond: bare.photosPerSecond,
      wholePathPerSecond: path.photosPerSecond,
      ofItPercent: percent(path.photosPerSecond, bare.photosPerSecond),
      engineCpuMs: bare.engineCpuMs,
      ...path.use,
    });
  }
  return rows;
}

/** One worker in each recognition: two of them and two processors against one of each. */
async function benchScale(system: PipelineSystem, runtime: Runtime, photos: number): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const pairs of [1, 2]) {
    const { photosPerSecond, use } = await benchWholePath(system, {
      runtime,
      workers: 1,
      processors: pairs,
      recognitions: pairs,
      photos,
    });
    const one = Number(rows[0]?.photosPerSecond ?? photosPerSecond);
    rows.push({ runtime, processors: pairs, recognitions: pairs, photosPerSecond, timesOne: photosPerSecond / one, ...use });
  }
  return rows.map((row) => ({ ...row, timesOne: Number(Number(row.timesOne).toFixed(2)) }));
}

export async function benchPipeline({
  runtimes = ['native', 'wasm'],
  photos = 1_000,
  posts = 100,
  rounds = 1,
}: PipelineBenchOptions = {}): Promise<PipelineTables> {
  const photo = await makePhoto();
  const system = await startPipelineSystem(photo);
  const tables: PipelineTables = {
    'pipeline: the whole path against the bare engine': [],
    'pipeline: two of each against one': [],
    'pipeline: post to result on an idle system': [],
    'pipeline: processor alone, recognition answers at once': [],
  };
  const add = (title: string, rows: BenchRow[]) => tables[title]?.push(...rows);
  try {
    for (const runtime of runtimes) {
      add('pipeline: the whole path against the bare engine', await benchShares(system, photo, { runtime, photos, rounds }));
      add('pipeline: two of each against one', await benchScale(system, runtime, photos));
      add('pipeline: post to result on an idle system', [await benchIdle(system, { runtime, posts })]);
    }
    const alone = await benchProcessorAlone(system, photos * 2);
    add('pipeline: processor alone, recognition answers at once', [alone]);
    return tables;
  } finally {
    await system.stop();
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      runtime: { type: 'string' },
      photos: { type: 'string', default: '1000' },
      rounds: { type: 'string', default: '1' },
      small: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const { runtime } = values;
  const tables = await benchPipeline({
    rounds: Number(values.rounds),
    ...((runtime === 'native' || runtime === 'wasm') && { runtimes: [runtime] }),
    ...(values.small ? { photos: 200, posts: 20 } : { photos: Number(values.photos) }),
  });
  if (values.json) console.log(JSON.stringify(tables, null, 2));
  else
    for (const [title, rows] of Object.entries(tables)) {
      console.log(title);
      console.table(rows);
    }
}
