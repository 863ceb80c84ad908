import { silent } from '@kube-face/shared-lib/logger';
import type { Database, RowDataPacket } from '@kube-face/shared-lib/mysql';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { freshTables } from '../../../test/harness/database.ts';
import { type CountSource, createCounts } from '../src/counts.ts';

let database: Database;
let counts: CountSource;

beforeAll(async () => {
  database = await freshTables();
});

afterAll(() => database.close());

beforeEach(async () => {
  await database.query('delete from images');
  counts = createCounts({ db: database, log: silent });
});

afterEach(() => counts.close());

const add = (status: number, outcome: string | null, secondsAgo: number | null) =>
  database.query('insert into images (path, status, outcome, finished_at) values (uuid(), ?, ?, now(3) - interval ? second)', [
    status,
    outcome,
    secondsAgo,
  ]);

test('counts by status and outcome, by minute and in the last sixty seconds', async () => {
  await add(0, null, null);
  await add(3, null, null);
  await add(1, 'match', 5);
  await add(1, 'unknown', 600);
  await add(1, null, 600); // of the original's processor
  await add(2, 'timeout', 600);
  await add(2, 'missing_file', 7_200);
  const counted = await counts.current();
  expect(counted).toMatchObject({
    byStatus: { pending: 1, processing: 1, processed: 3, failed: 2 },
    byOutcome: { match: 1, unknown: 1, timeout: 1, missing_file: 1 },
    lastMinute: 1,
  });
  expect(counted?.lastHour).toHaveLength(60);
  const busy = counted?.lastHour.flatMap(({ processed, failed }, index) =>
    processed + failed > 0 ? [[59 - index, processed, failed]] : [],
  );
  const [ten, now] = busy ?? [];
  expect([ten?.[1], ten?.[2], now?.[1], now?.[2]]).toEqual([2, 1, 1, 0]);
  expect([9, 10, 11]).toContain(ten?.[0]);
});

test('an empty table counts as nothing', async () => {
  expect(await counts.current()).toMatchObject({
    byStatus: { pending: 0, processing: 0, processed: 0, failed: 0 },
    lastMinute: 0,
  });
});

test('counts of the whole table are answered from an index alone', async () => {
  for (let index = 0; index < 50; index += 1) await add(1, 'match', 5);
  const statements: string[] = [];
  const listening: Pick<Database, 'query'> = {
    query: (sql, values) => {
      if (!values) statements.push(sql);
      return database.query(sql, values);
    },
  };
  const heard = createCounts({ db: listening, log: silent });
  await heard.current();
  heard.close();
  expect(statements).toHaveLength(3);
  for (const sql of statements) {
    const [plan] = await database.query<RowDataPacket[]>(`explain format=json ${sql}`);
    expect(plan?.EXPLAIN).toMatch(/"(using_index|covering)": true/); // MariaDB's word and MySQL's
  }
});
