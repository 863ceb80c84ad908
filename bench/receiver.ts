/**
 * Posts to a receiver with a MySQL and an nsqd of its own, all on this machine, single and in batches, on an empty table and on a
 * full one. MySQL has its own default durability. `node --conditions=source bench/receiver.ts`
 *
 *   --rows 0,1000000     rows that stand in the table before each receiver is measured
 *   --seconds N          of each measurement (10)
 *   --connections N      of single posts (64)
 *   --buffer-pool SIZE   of MySQL, as in its option (its own default, 128M)
 *   --original COMMAND   a receiver of the original's that is measured in turn, on the same schema
 *   --original-port N    where it listens (8000, which is built into it)
 *   --json               JSON instead of a table
 */
import { parseArgs } from 'node:util';
import { type BenchRow, round } from './figures.ts';
import { postLoad } from './http-load.ts';
import { countCpu, untilQuiet } from './process-use.ts';
import { listens, type Original, type Receiver, type ReceiverSystem, startReceiverSystem } from './receiver-system.ts';

export type ReceiverBenchOptions = {
  rows?: readonly number[];
  seconds?: number;
  connections?: number;
  bufferPool?: string | undefined;
  original?: Original | undefined;
};

type Kind = 'single' | 'batch';

const BATCH = 10_000;
// The original takes seconds for a hundred; and of ten thousand it would have told nobody before the end.
const BATCH_OF_ORIGINAL = 100;
const BATCH_CONNECTIONS = 2;

let runs = 0;

async function measure(
  { pids, settle }: ReceiverSystem,
  { name, port, running }: Receiver,
  kind: Kind,
  { seconds, connections }: { seconds: number; connections: number },
): Promise<BenchRow> {
  runs += 1;
  await untilQuiet(pids.mysql);
  const prefix = `/unknown_people/${runs}`;
  const photos = kind === 'single' ? 1 : name === 'ours' ? BATCH : BATCH_OF_ORIGINAL;
  const used = await countCpu({ receiver: running.pid(), ...pids, bench: process.pid });
  const load = await postLoad({
    host: '127.0.0.1',
    port,
    connections: kind === 'single' ? connections : BATCH_CONNECTIONS,
    seconds,
    path: kind === 'single' ? '/image/post' : '/images/post',
    headers: kind === 'single' ? {} : { accept: 'application/json' },
    body:
      kind === 'single'
        ? (n) => `{"path":"${prefix}/${n}.jpg"}`
        : (n) =>
            JSON.stringify({ paths: Array.from({ length: photos }, (_, index) => ({ path: `${prefix}/${n}-${index}.jpg` })) }),
  });
  const bad = Object.entries(load.statuses).filter(([status]) => status !== '200');
  if (bad.length > 0) throw new Error(`answers of ${name} that are not 200: ${JSON.stringify(bad)}`);
  const cpu = Object.entries(await used()).map(([part, ms]) => [`${part}Cpu`, round(ms / 1_000 / load.seconds, 2)]);
  await settle();
  return {
    photosPerSecond: Math.round(load.perSecond * photos),
    p50Ms: round(load.p50Ms),
    p99Ms: round(load.p99Ms),
    maxMs: round(load.maxMs),
    ...Object.fromEntries(cpu), // cores
  };
}

export async function benchReceiver({
  rows = [0, 1_000_000],
  seconds = 10,
  connections = 64,
  bufferPool,
  original,
}: ReceiverBenchOptions = {}): Promise<BenchRow[]> {
  if (original && (await listens(original.port))) throw new Error(`something listens on port ${original.port} already`);
  const system = await startReceiverSystem({ bufferPool });
  const figures: BenchRow[] = [];
  const start = [system.startOurs, ...(original === undefined ? [] : [() => system.startOriginal(original)])];
  try {
    for (const before of rows) {
      for (const one of start) {
        await system.fill(before);
        const receiver = await one();
        await measure(system, receiver, 'single', { seconds: 2, connections }); // warm
        for (const kind of ['single', 'batch'] as const) {
          const row = await measure(system, receiver, kind, { seconds, connections });
          figures.push({ receiver: receiver.name, rows: before, kind, ...row });
        }
        await receiver.running.stop();
      }
    }
    return figures;
  } finally {
    await system.stop();
  }
}

/** The original as the command line tells of it. */
export function originalOf(values: { original?: string | undefined; 'original-port': string }): Original | undefined {
  return values.original === undefined ? undefined : { command: values.original, port: Number(values['original-port']) };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '10' },
      rows: { type: 'string', default: '0,1000000' },
      connections: { type: 'string', default: '64' },
      'buffer-pool': { type: 'string' },
      original: { type: 'string' },
      'original-port': { type: 'string', default: '8000' },
      json: { type: 'boolean', default: false },
    },
  });
  const figures = await benchReceiver({
    rows: values.rows.split(',').map(Number),
    seconds: Number(values.seconds),
    connections: Number(values.connections),
    bufferPool: values['buffer-pool'],
    original: originalOf(values),
  });
  if (values.json) console.log(JSON.stringify(figures, null, 2));
  else console.table(figures);
}
