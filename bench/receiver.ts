// node --conditions=source bench/receiver.ts [--seconds N] [--rows 0,1000000] [--connections N] [--json FILE]
//
// Posts to a receiver with a MySQL and an nsqd of its own, all on this machine, single and in batches, on an empty table and on a
// full one. MySQL has its own default durability. Prints a table, and JSON where asked.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { silent } from '@kube-face/shared-lib/logger';
import { migrate } from '@kube-face/shared-lib/migrate';
import { createDatabase, type Database, type RowDataPacket } from '@kube-face/shared-lib/mysql';
import { databaseStatements, mysqlPart } from '../scripts/parts/mysql.ts';
import { provideMysqlProgram } from '../scripts/parts/mysql-program.ts';
import { freePort } from '../scripts/parts/ports.ts';
import { startNsq } from '../test/harness/nsq.ts';
import { run } from '../test/harness/running.ts';
import { startService } from '../test/harness/service.ts';
import { tempFolder } from '../test/harness/temp-folder.ts';
import { type LoadResult, postLoad } from './http-load.ts';

export type ReceiverFigures = { rows: number; kind: 'single' | 'batch of 10,000'; photosPerSecond: number } & Omit<
  LoadResult,
  'perSecond'
>;

const BATCH = 10_000;
const SEED_ROWS = 50_000; // of one statement

async function startParts() {
  const program = await provideMysqlProgram();
  if (!program) throw new Error('this needs mysqld or mariadbd');
  const account = { user: 'bench', password: 'bench' };
  const mysql = { ...account, host: '127.0.0.1', port: await freePort(), database: 'bench' };
  const folder = join(tempFolder('bench'), 'mysql');
  const server = await run(await mysqlPart({ program, folder, port: mysql.port, init: databaseStatements('bench', account) }));
  const nsq = await startNsq();
  const database = createDatabase(mysql, { statementTimeoutMs: 600_000 });
  await migrate(database, silent);
  const [known, unknown] = [tempFolder('known'), tempFolder('unknown')];
  const receiver = await startService('receiver', {
    ...nsq.env,
    MYSQL_PORT: String(mysql.port),
    MYSQL_DBNAME: 'bench',
    MYSQL_USERPASSWORD: 'bench:bench',
    KNOWN_PEOPLE: known,
    UNKNOWN_PEOPLE: unknown,
    DRAIN_MS: '0',
    LOG_LEVEL: 'warn',
  });
  return {
    database,
    receiver,
    async stop() {
      await receiver.stop();
      await database.close();
      await nsq.stop();
      await server.stop();
    },
  };
}

/** Processed photos, as a system has them that has run for a while. */
async function fill(database: Database, rows: number): Promise<void> {
  const [count] = await database.query<RowDataPacket[]>('select count(*) as n from images');
  for (let at = Number(count?.n ?? 0); at < rows; at += SEED_ROWS) {
    const some = Array.from({ length: Math.min(SEED_ROWS, rows - at) }, (_, index) => [`/unknown_people/seed/${at + index}.jpg`]);
    await database.query('insert into images (path) values ?', [some]);
    await database.query(
      `update images set status = 1, outcome = 'unknown', queued_at = now(3), finished_at = now(3) where status = 0`,
    );
  }
}

let runs = 0;

export async function benchReceiver(options: {
  rows: readonly number[];
  seconds: number;
  connections: number;
}): Promise<ReceiverFigures[]> {
  const { database, receiver, stop } = await startParts();
  const port = Number(new URL(receiver.url).port);
  const figures: ReceiverFigures[] = [];
  const settle = () => database.query(`update images set status = 1, outcome = 'unknown', queued_at = now(3) where status = 0`);

  async function measure(rows: number, kind: ReceiverFigures['kind'], seconds: number): Promise<void> {
    runs += 1;
    const prefix = `/unknown_people/${runs}`;
    const isBatch = kind !== 'single';
    const { perSecond, ...result } = await postLoad({
      host: '127.0.0.1',
      port,
      connections: isBatch ? 2 : options.connections,
      seconds,
      path: isBatch ? '/images/post' : '/image/post',
      headers: isBatch ? { accept: 'application/json' } : {},
      body: isBatch
        ? (n) => JSON.stringify({ paths: Array.from({ length: BATCH }, (_, index) => ({ path: `${prefix}/${n}-${index}.jpg` })) })
        : (n) => `{"path":"${prefix}/${n}.jpg"}`,
    });
    const bad = Object.entries(result.statuses).filter(([status]) => status !== '200');
    if (bad.length > 0) throw new Error(`answers that are not 200: ${JSON.stringify(bad)}`);
    figures.push({ rows, kind, photosPerSecond: perSecond * (isBatch ? BATCH : 1), ...result });
    await settle();
  }

  try {
    await measure(0, 'single', 2); // warm
    figures.length = 0;
    for (const rows of options.rows) {
      if (rows > 0) await fill(database, rows);
      await measure(rows, 'single', options.seconds);
      await measure(rows, 'batch of 10,000', options.seconds);
    }
    return figures;
  } finally {
    await stop();
  }
}

export function printReceiver(figures: readonly ReceiverFigures[]): void {
  console.log('rows at the start  kind              photos/s   p50 ms   p99 ms   max ms');
  for (const { rows, kind, photosPerSecond, p50Ms, p99Ms, maxMs } of figures) {
    const numbers = [photosPerSecond.toFixed(0).padStart(9), ...[p50Ms, p99Ms, maxMs].map((ms) => ms.toFixed(1).padStart(8))];
    console.log(`${String(rows).padEnd(17)}  ${kind.padEnd(16)} ${numbers.join(' ')}`);
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '10' },
      rows: { type: 'string', default: '0,1000000' },
      connections: { type: 'string', default: '64' },
      json: { type: 'string' },
    },
  });
  const figures = await benchReceiver({
    rows: values.rows.split(',').map(Number),
    seconds: Number(values.seconds),
    connections: Number(values.connections),
  });
  printReceiver(figures);
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(figures, null, 2)}\n`);
}
