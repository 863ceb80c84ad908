import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { silent } from '@kube-face/shared-lib/logger';
import { migrate } from '@kube-face/shared-lib/migrate';
import { createDatabase, type Database, type RowDataPacket } from '@kube-face/shared-lib/mysql';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { freshDatabase, mysqlEnv } from '../../../test/harness/database.ts';
import { type Nsq, startNsq } from '../../../test/harness/nsq.ts';

const REDEEMER = fileURLToPath(new URL('../src/redeemer.ts', import.meta.url));

let nsq: Nsq;
let database: Database;
let env: Record<string, string>;

beforeAll(async () => {
  nsq = await startNsq();
  const mysql = await freshDatabase();
  database = createDatabase(mysql);
  await migrate(database, silent);
  env = { ...mysqlEnv(mysql), ...nsq.env, REDEEM_AFTER_MS: '4000', LOG_LEVEL: 'debug' };
});

afterAll(async () => {
  await database.close();
  await nsq.stop();
});

beforeEach(async () => {
  await database.query('delete from images');
  await fetch(`http://127.0.0.1:${nsq.ports.nsqdHttp}/topic/delete?topic=images`, { method: 'POST' });
  await fetch(`http://127.0.0.1:${nsq.ports.nsqdHttp}/topic/create?topic=images`, { method: 'POST' });
  await fetch(`http://127.0.0.1:${nsq.ports.nsqdHttp}/channel/create?topic=images&channel=ch`, { method: 'POST' });
});

async function runRedeemer(...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['--conditions=source', REDEEMER, ...args], { env: { PATH: process.env.PATH, ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = await once(child, 'exit');
  return { code, output };
}

async function insert(row: Record<string, string | number | null>): Promise<number> {
  const { insertId } = await database.query<{ insertId: number } & RowDataPacket[]>(
    `insert into images (path, batch, status, queued_at, lease_until, retry_at, updated_at)
     values (uuid(), ${row.batch ?? 'unhex(md5(1))'}, ${row.status ?? 0}, ${row.queued_at ?? 'null'}, ${row.lease_until ?? 'null'},
       ${row.retry_at ?? 'null'}, ${row.updated_at ?? 'current_timestamp(3) - interval 1 hour'})`,
  );
  return insertId;
}

async function rowOf(id: number): Promise<RowDataPacket> {
  const [row] = await database.query<RowDataPacket[]>('select * from images where id = ?', [id]);
  return row as RowDataPacket;
}

async function depth(): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${nsq.ports.nsqdHttp}/stats?format=json&topic=images&channel=ch`);
  const { topics } = (await response.json()) as { topics: { depth: number; channels: { depth: number }[] }[] };
  return topics.reduce((sum, topic) => sum + topic.depth + topic.channels.reduce((all, channel) => all + channel.depth, 0), 0);
}

test.each([
  ['a lease that ended', { status: 3, lease_until: 'current_timestamp(3) - interval 1 second' }],
  ['a claim of the original, older than five minutes', { status: 3 }],
  ['a back-off that ended', { status: 2, retry_at: 'current_timestamp(3) - interval 1 second' }],
  ['a photo that nsqd never acknowledged', {}],
  ['a photo whose message is nowhere', { queued_at: 'current_timestamp(3) - interval 1 hour' }],
  ['the same of the original', { batch: 'null' }],
])('puts back %s', async (_name, row) => {
  const id = await insert(row);

  const { code, output } = await runRedeemer();

  expect(code, output).toBe(0);
  expect(await rowOf(id)).toMatchObject({ status: 0, lease_until: null, retry_at: null, redeem_token: null });
  expect((await rowOf(id)).queued_at).not.toBeNull();
  expect(await depth()).toBe(1);
});

test.each([
  ['a lease that runs', { status: 3, lease_until: 'current_timestamp(3) + interval 10 second' }],
  ['a fresh claim of the original', { status: 3, updated_at: 'current_timestamp(3) - interval 4 minute' }],
  ['a back-off that runs', { status: 2, retry_at: 'current_timestamp(3) + interval 10 second' }],
  ['a failure for good', { status: 2 }],
  ['a processed photo', { status: 1 }],
  ['a photo that the receiver is about to queue', { updated_at: 'current_timestamp(3)' }],
])('leaves alone %s', async (_name, row) => {
  const id = await insert(row);
  const before = await rowOf(id);

  const { code } = await runRedeemer();

  expect(code).toBe(0);
  expect(await rowOf(id)).toEqual(before);
  expect(await depth()).toBe(0);
});
