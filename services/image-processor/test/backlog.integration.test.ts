import { createRegistry, type Registry } from '@kube-face/shared-lib/metrics';
import type { Database } from '@kube-face/shared-lib/mysql';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { freshTables } from '../../../test/harness/database.ts';
import { watchBacklog } from '../src/backlog.ts';

let database: Database;
let clock = 0;
let registry: Registry;

beforeAll(async () => {
  database = await freshTables();
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.query('delete from images');
  registry = createRegistry('test');
  watchBacklog({ registry, database, now: () => clock });
});

/** A figure, once the look at the table that the first question causes has been made. */
async function figure(name: string): Promise<number | undefined> {
  const text = await registry.metrics();
  const value = new RegExp(`^kube_face_${name}\\{[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1];
  return value === undefined ? undefined : Number(value);
}

const insert = (columns: string, values: string) =>
  database.query(`insert into images (path, ${columns}) values (uuid(), ${values})`);
const AGO = (seconds: number) => `current_timestamp(3) - interval ${seconds} second`;

test('an empty table has nothing that waits', async () => {
  await expect.poll(() => figure('oldest_pending_photo_seconds')).toBe(0);
  expect(await figure('leases_ended')).toBe(0);
});

test('the oldest pending photo counts, queued or not, and no other one', async () => {
  await insert('status, queued_at', `0, ${AGO(100)}`);
  await insert('status, queued_at', `0, ${AGO(50)}`);
  await insert('status, created_at', `0, ${AGO(200)}`);
  await insert('status, queued_at, created_at', `1, ${AGO(900)}, ${AGO(900)}`);
  await expect.poll(() => figure('oldest_pending_photo_seconds')).toBeCloseTo(200, -1);
  await database.query('delete from images where queued_at is null');
  clock += 10_000;
  await expect.poll(() => figure('oldest_pending_photo_seconds')).toBeCloseTo(100, -1);
});

test('a lease that has ended counts until somebody takes the photo over', async () => {
  await insert('status, lease_until', `3, ${AGO(1)}`);
  await insert('status, lease_until', '3, current_timestamp(3) + interval 1 minute');
  await insert('status, lease_until', '3, current_timestamp(3) + interval 1 hour');
  await insert('status', '3'); // the original's processor writes no lease
  await expect.poll(() => figure('leases_ended')).toBe(1);
});

test('the table is not looked at again before 10 s have gone by', async () => {
  let looks = 0;
  const query: Database['query'] = <T>() => Promise.resolve([{ oldest_seconds: 0, ended_leases: ++looks }] as T);
  registry = createRegistry('test');
  watchBacklog({ registry, database: { query }, now: () => clock });
  await figure('leases_ended');
  expect(await figure('leases_ended')).toBe(2);
  clock += 9_999;
  await figure('leases_ended');
  expect(await figure('leases_ended')).toBe(2);
  clock += 1;
  await figure('leases_ended');
  expect(await figure('leases_ended')).toBe(4);
});

test('while the database is away the figures are missing, and the rest is answered', async () => {
  const away = createRegistry('test');
  const query = () => Promise.reject(new Error('away'));
  watchBacklog({ registry: away, database: { query }, now: () => clock });
  await away.metrics();
  const text = await away.metrics();
  expect(text).not.toMatch(/^kube_face_leases_ended\{/m);
  expect(text).toMatch(/^kube_face_process_cpu_seconds_total/m);
});
