import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { HostPort } from '@kube-face/shared-lib/env';
import { silent } from '@kube-face/shared-lib/logger';
import type { Database, RowDataPacket } from '@kube-face/shared-lib/mysql';
import { createImagePublisher } from '@kube-face/shared-lib/nsq-publisher';
import { nsqdName } from '@kube-face/shared-lib/nsqd-name';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { nsqdPart } from '../../../scripts/parts/nsq.ts';
import { freePort } from '../../../scripts/parts/ports.ts';
import { freshDatabase, freshTables, mysqlEnv } from '../../../test/harness/database.ts';
import { type Nsq, startNsq, testNsqPrograms } from '../../../test/harness/nsq.ts';
import { run } from '../../../test/harness/running.ts';
import { tempFolder } from '../../../test/harness/temp-folder.ts';

const OLD = 'current_timestamp(3) - interval 1 hour';
const REDEEMER = fileURLToPath(new URL('../src/redeemer.ts', import.meta.url));

let nsq: Nsq;
let database: Database;
let env: Record<string, string>;

beforeAll(async () => {
  nsq = await startNsq();
  const mysql = await freshDatabase();
  database = await freshTables(mysql);
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
     values (uuid(), ${row.batch ?? 'unhex(repeat("01", 16))'}, ${row.status ?? 0}, ${row.queued_at ?? 'null'}, ${row.lease_until ?? 'null'},
       ${row.retry_at ?? 'null'}, ${row.updated_at ?? 'current_timestamp(3) - interval 1 hour'})`,
  );
  return insertId;
}

function addressOf(text: string): HostPort {
  const [host = '', port] = text.split(':');
  return { host, port: Number(port) };
}

/** Photos that nsqd acknowledged an hour ago. */
async function insertBacklog(photos: number, nsqd: string | undefined): Promise<number[]> {
  const token = Buffer.alloc(16, 2);
  const hourAgo = new Date(Date.now() - 3_600_000);
  for (let done = 0; done < photos; done += 10_000) {
    const count = Math.min(10_000, photos - done);
    const rows = Array.from({ length: count }, (_, index) => [`${nsqd}/${done + index}`, token, nsqd ?? null, hourAgo, hourAgo]);
    await database.query('insert into images (path, batch, queued_on, queued_at, updated_at) values ?', [rows]);
  }
  const rows = await database.query<RowDataPacket[]>('select id from images where batch = ?', [token]);
  return rows.map(({ id }) => id);
}

async function publish(ids: readonly number[]): Promise<void> {
  const publisher = createImagePublisher({ address: addressOf(nsq.env.PRODUCER_ADDRESS), log: silent });
  for (let done = 0; done < ids.length; done += 10_000) await publisher.publish(ids.slice(done, done + 10_000));
  await publisher.close();
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

test('a redeemer that died between its stamp and the queue is made good once the stamp is old', async () => {
  const id = await insert({});
  await database.query("update images set redeem_token = 'stamp', redeemed_at = current_timestamp(3) where id = ?", [id]);
  await runRedeemer();
  expect(await depth()).toBe(0);

  await database.query(`update images set redeemed_at = ${OLD}, updated_at = ${OLD} where id = ?`, [id]);
  await runRedeemer();
  expect(await depth()).toBe(1);
  expect(await rowOf(id)).toMatchObject({ redeem_token: null });
});

test('two at once publish every photo once', async () => {
  for (let photo = 0; photo < 300; photo += 1) await insert({});

  const runs = await Promise.all([runRedeemer(), runRedeemer(), runRedeemer()]);

  expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(await depth()).toBe(300);
});

test('--dry-run tells what it would put back, and changes nothing', async () => {
  const id = await insert({ status: 3, lease_until: OLD });
  const before = await rowOf(id);

  const { code, output } = await runRedeemer('--dry-run');

  expect(code).toBe(0);
  expect(output).toContain(`would put back ${id} "${before.path}": lease_ended\nwould put back 1 photos in all\n`);
  expect(await rowOf(id)).toEqual(before);
  expect(await depth()).toBe(0);
});

test('while nsqd is away it says so and leaves the photos to the next run', async () => {
  const id = await insert({});
  await nsq.nsqd.stop();
  const { code } = await runRedeemer();
  expect(code).toBe(1);
  expect(await rowOf(id)).toMatchObject({ status: 0, queued_at: null });

  await nsq.nsqd.start();
  await database.query(`update images set updated_at = ${OLD} where id = ?`, [id]);
  expect((await runRedeemer()).code).toBe(0);
  expect(await depth()).toBe(1);
});

test('while the database is away it says so, with exit code 1', async () => {
  const { code, output } = await runRedeemer('--dry-run');
  expect(code, output).toBe(0);

  const port = env.MYSQL_PORT;
  env.MYSQL_PORT = '1';
  const away = await runRedeemer();
  env.MYSQL_PORT = port ?? '';
  expect(away.code).toBe(1);
});

test('a backlog of 100,000 photos that wait in nsqd is not published again', async () => {
  const ids = await insertBacklog(100_000, nsqdName(addressOf(nsq.env.PRODUCER_ADDRESS)));
  await publish(ids);
  // A message on its way from the topic to its channel is counted by neither.
  await vi.waitFor(async () => expect(await depth()).toBe(100_000), 10_000);
  const never = await insert({});

  const { code, output } = await runRedeemer();

  expect(code, output).toBe(0);
  await vi.waitFor(async () => expect(await depth()).toBe(100_001), 10_000);
  expect(await rowOf(never)).toMatchObject({ status: 0, redeem_token: null });
});

test('photos of an nsqd that is gone are published, those of another are not', async () => {
  const gone = { ...nsq.ports, nsqdTcp: await freePort(), nsqdHttp: await freePort() };
  const other = await run(await nsqdPart(await testNsqPrograms(), gone, tempFolder('nsqd')));
  await publish(await insertBacklog(10, nsqdName(addressOf(nsq.env.PRODUCER_ADDRESS))));
  await insertBacklog(7, nsqdName({ host: '127.0.0.1', port: gone.nsqdTcp }));
  await runRedeemer();
  expect(await depth()).toBe(10);

  await other.kill();
  const { code, output } = await runRedeemer();

  expect(code, output).toBe(0);
  expect(await depth()).toBe(17);
});

test('an nsqd that is not heard is not taken for empty', async () => {
  await insertBacklog(1, undefined);
  await nsq.nsqd.kill('SIGSTOP');
  const { output } = await runRedeemer();
  await nsq.nsqd.kill('SIGCONT');

  expect(output).toContain('an nsqd does not say what it holds');
  expect(await depth()).toBe(0);
});

test('where no nsqlookupd answers, only what needs no nsqd to tell is put back', async () => {
  await insertBacklog(1, undefined);
  const id = await insert({});
  await nsq.nsqlookupd.stop();
  const { code } = await runRedeemer();
  await nsq.nsqlookupd.start();

  expect(code).toBe(0);
  expect(await depth()).toBe(1);
  expect((await rowOf(id)).queued_at).not.toBeNull();
});
