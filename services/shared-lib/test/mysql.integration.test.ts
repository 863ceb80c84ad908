import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { freshDatabase } from '../../../test/harness/database.ts';
import type { MysqlConfig } from '../src/env.ts';
import { createRegistry } from '../src/metrics.ts';
import {
  createDatabase,
  type Database,
  isDatabaseAway,
  isDuplicate,
  type ResultSetHeader,
  type RowDataPacket,
} from '../src/mysql.ts';
import { watchPool } from '../src/pool-metrics.ts';

let config: MysqlConfig;
let database: Database;

beforeAll(async () => {
  config = await freshDatabase();
  database = createDatabase(config);
  await database.query('create table counters (id int primary key, value int not null, noted timestamp(3) null) engine = innodb');
  await database.query('insert into counters (id, value) values ?', [
    [
      [1, 0],
      [2, 0],
    ],
  ]);
});
afterAll(() => database.close());

const counter = async (id: number) => {
  const [row] = await database.execute<RowDataPacket[]>('select value from counters where id = ?', [id]);
  return row?.value;
};

test('a transaction is committed whole or not at all', async () => {
  const failing = database.transaction(async (statements) => {
    await statements.execute('update counters set value = 100 where id = 1');
    throw new Error('changed my mind');
  });
  await expect(failing).rejects.toThrow('changed my mind');
  expect(await counter(1)).toBe(0);

  await database.transaction((statements) => statements.execute('update counters set value = 1 where id = 1'));
  expect(await counter(1)).toBe(1);
});

test('two transactions that wait for each other both get through', async () => {
  await database.query('update counters set value = 0');
  const bothHoldOne = Promise.withResolvers<void>();
  let holding = 0;
  const add = (first: number, second: number) =>
    database.transaction(async (statements) => {
      await statements.execute('update counters set value = value + 1 where id = ?', [first]);
      holding += 1;
      if (holding >= 2) bothHoldOne.resolve();
      await bothHoldOne.promise;
      await statements.execute('update counters set value = value + 1 where id = ?', [second]);
    });

  await Promise.all([add(1, 2), add(2, 1)]);

  expect(holding).toBeGreaterThan(2); // one was the victim, and ran again
  expect([await counter(1), await counter(2)]).toEqual([2, 2]);
});

test('a transaction whose lock did not come free is run again', async () => {
  await database.query('update counters set value = 0');
  const [held, freed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const impatient = createDatabase(config, { connections: 1 });
  await impatient.query('set session innodb_lock_wait_timeout = 1');
  let tries = 0;

  const holder = database.transaction(async (statements) => {
    await statements.execute('update counters set value = value + 1 where id = 1');
    held.resolve();
    await freed.promise;
  });
  await held.promise;
  await impatient.transaction(async (statements) => {
    tries += 1;
    if (tries === 2) freed.resolve();
    await statements.execute('update counters set value = value + 1 where id = 1');
  });
  await holder;
  await impatient.close();

  expect(tries).toBeGreaterThan(1);
  expect(await counter(1)).toBe(2);
});

test('an instant comes back as it went in, whatever zone the server thinks in', async () => {
  const instant = new Date('2026-07-01T12:34:56.789Z');
  await database.execute('update counters set noted = ? where id = 1', [instant]);
  const [row] = await database.execute<RowDataPacket[]>(
    'select noted, unix_timestamp(noted) as seconds from counters where id = 1',
  );
  expect(row?.noted).toEqual(instant);
  expect(Number(row?.seconds)).toBeCloseTo(instant.getTime() / 1_000, 3);
});

test('a row that a unique key refuses is told from a database that is away', async () => {
  const error = await database
    .execute<ResultSetHeader>('insert into counters (id, value) values (1, 1)')
    .catch((reason) => reason);
  expect([isDuplicate(error), isDatabaseAway(error)]).toEqual([true, false]);
});

test('a fault of the statement is no database that is away', async () => {
  const error = await database.query('selec 1').catch((reason) => reason);
  expect(isDatabaseAway(error)).toBe(false);
});

test('a refused connection is a database that is away', async () => {
  const nowhere = createDatabase({ ...config, port: 1 });
  const error = await nowhere.query('select 1').catch((reason) => reason);
  expect(isDatabaseAway(error)).toBe(true);
  await nowhere.close();
});

test('a connection that the server killed is replaced', async () => {
  const single = createDatabase(config, { connections: 1 });
  const [mine] = await single.query<RowDataPacket[]>('select connection_id() as id');
  const admin = createDatabase(inject('mysql'));
  await admin.query('kill ?', [mine?.id]);
  await admin.close();

  await expect
    .poll(() =>
      single.query('select 1').then(
        () => 'answered',
        () => 'broken',
      ),
    )
    .toBe('answered');
  await single.close();
});

test('a server that falls silent costs one time-out, and the next connection is a new one', async () => {
  const { host, port } = config;
  const sockets: Socket[] = [];
  let isSilent = false;
  const relay = createServer((client) => {
    const upstream = connect(port, host);
    sockets.push(client, upstream);
    client.on('error', () => {}).on('data', (bytes) => isSilent || upstream.write(bytes));
    upstream.on('error', () => {}).on('data', (bytes) => isSilent || client.write(bytes));
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  const behind = createDatabase({ ...config, port: (relay.address() as AddressInfo).port }, { statementTimeoutMs: 300 });
  await behind.query('select 1');

  isSilent = true;
  const error = await behind.query('select 1').catch((reason) => reason);
  expect([error.name, isDatabaseAway(error)]).toEqual(['DatabaseTimeoutError', true]);

  isSilent = false;
  expect(await behind.query('select 1 as one')).toEqual([{ one: 1 }]);
  await behind.close();
  relay.close();
  for (const socket of sockets) socket.destroy();
});

test('who gets no connection in time goes, and whoever comes later has it', async () => {
  const small = createDatabase(config, { connections: 1 });
  const held = Promise.withResolvers<void>();
  try {
    const holding = small.withConnection(() => held.promise);
    const error = await small.query('select 1').catch((reason) => reason);
    expect([error.name, error.message, isDatabaseAway(error)]).toEqual([
      'DatabaseTimeoutError',
      'no connection in 3000 ms',
      true,
    ]);
    expect(small.use).toEqual({ busy: 1, waiting: 0, limit: 1 });
    const later = small.query('select 2 as two');
    held.resolve();
    await holding;
    expect(await later).toEqual([{ two: 2 }]);
  } finally {
    await small.close();
  }
});

test('says how many of its connections are busy, and who waits', async () => {
  const small = createDatabase(config, { connections: 1 });
  const registry = createRegistry('test');
  watchPool(registry, small);
  const held = Promise.withResolvers<void>();
  try {
    const holding = small.withConnection(() => held.promise);
    const waiting = small.query('select 1');
    await expect.poll(() => small.use).toEqual({ busy: 1, waiting: 1, limit: 1 });
    expect(await registry.metrics()).toMatch(/^kube_face_mysql_waiting\{[^}]*\} 1$/m);
    held.resolve();
    await Promise.all([holding, waiting]);
    expect(small.use).toEqual({ busy: 0, waiting: 0, limit: 1 });
    const text = await registry.metrics();
    const figures = [...text.matchAll(/^kube_face_mysql_(\w+)\{[^}]*\} (\d+)$/gm)].map(([, name, value]) => [name, value]);
    expect(Object.fromEntries(figures)).toEqual({ connections_busy: '0', connections_limit: '1', waiting: '0' });
  } finally {
    await small.close();
  }
});
