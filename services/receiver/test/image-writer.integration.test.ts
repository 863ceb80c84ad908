import { silent } from '@kube-face/shared-lib/logger';
import { migrate } from '@kube-face/shared-lib/migrate';
import { createDatabase, type Database, isDatabaseAway, type RowDataPacket } from '@kube-face/shared-lib/mysql';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { freshDatabase } from '../../../test/harness/database.ts';
import { startTcpProxy, type TcpProxy } from '../../../test/harness/tcp-proxy.ts';
import { createImageWriter, UndecidedError } from '../src/image-writer.ts';

let direct: Database;
let proxied: Database;
let proxy: TcpProxy;

beforeAll(async () => {
  const mysql = await freshDatabase();
  proxy = await startTcpProxy(mysql.port);
  direct = createDatabase(mysql);
  proxied = createDatabase({ ...mysql, port: proxy.port });
  await migrate(direct, silent);
});
afterAll(async () => {
  await proxied.close();
  await direct.close();
  await proxy.close();
});
beforeEach(async () => {
  await direct.query('delete from images');
});

let tokens = 0;
const newToken = () => Buffer.from(String(++tokens).padStart(16, '0'));
const rows = () => direct.query<RowDataPacket[]>('select id, path from images order by id');
const images = (...paths: string[]) => paths.map((path) => ({ path }));

/** Lets `work` run into a table that another connection has locked, until it waits there. */
async function whileLocked<T>(work: () => Promise<T>, then: () => void): Promise<{ result: Promise<T> }> {
  let working: Promise<T> = Promise.reject(new Error('not begun'));
  working.catch(() => {});
  await direct.withConnection(async (statements) => {
    await statements.query('lock tables images write');
    working = work();
    working.catch(() => {});
    await vi.waitFor(async () => {
      const waiting = await direct.query<RowDataPacket[]>(
        "select 1 from information_schema.processlist where state like 'Waiting for table%' and info like 'insert into images%'",
      );
      expect(waiting).toHaveLength(1);
    });
    then();
    await statements.query('unlock tables');
  });
  return { result: working };
}

test('finds what is there already, by path and by bytes, and saves the rest', async () => {
  const writer = createImageWriter({ database: direct });
  const sha256 = Buffer.alloc(32, 1);
  const [a, b] = await writer.save([{ path: 'a' }, { path: 'b', sha256 }], newToken());
  const saved = await writer.save([{ path: 'c' }, { path: 'a' }, { path: 'd', sha256 }, { path: 'e' }], newToken());
  expect(saved).toMatchObject([
    { isNew: true },
    { id: a?.id, isNew: false, path: 'a' },
    { id: b?.id, isNew: false, path: 'b' },
    { isNew: true },
  ]);
  expect((await rows()).map(({ path }) => path)).toEqual(['a', 'b', 'c', 'e']);
});

test('after duplicates and after none it saves alike', async () => {
  const writer = createImageWriter({ database: direct });
  for (const paths of [['a'], ['a', 'b'], ['c', 'd'], ['e'], ['e'], ['f', 'g']]) await writer.save(images(...paths), newToken());
  expect((await rows()).map(({ path }) => path)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
});

test('ids belong to their paths in a large batch', async () => {
  const paths = Array.from({ length: 3_000 }, (_, index) => `${(index * 7_919) % 3_000}.jpg`);
  const saved = await createImageWriter({ database: direct }).save(images(...paths), newToken());
  const byId = new Map((await rows()).map(({ id, path }) => [id, path]));
  expect(saved.map(({ id }) => byId.get(id))).toEqual(paths);
});

test('ids belong to their paths where a server leaves gaps between them', async () => {
  const database: Pick<Database, 'withConnection'> = {
    withConnection: (work, timeoutMs) =>
      direct.withConnection(async (statements) => {
        await statements.query('set session auto_increment_increment = 3');
        return work(statements).finally(() => statements.query('set session auto_increment_increment = 1'));
      }, timeoutMs),
  };
  const saved = await createImageWriter({ database }).save(images('b', 'a', 'c'), newToken());
  const byId = new Map((await rows()).map(({ id, path }) => [id, path]));
  expect(saved.map(({ id }) => byId.get(id))).toEqual(['b', 'a', 'c']);
  expect((saved[1]?.id ?? 0) - (saved[0]?.id ?? 0)).toBe(3);
});

test('two writers with the same paths at once make each row once', async () => {
  const paths = Array.from({ length: 200 }, (_, index) => `${index}`);
  const all = await Promise.all(
    [paths, paths.toReversed(), paths].map((list) => createImageWriter({ database: direct }).save(images(...list), newToken())),
  );
  expect(await rows()).toHaveLength(200);
  expect(all.flat().filter(({ isNew }) => isNew)).toHaveLength(200);
});

/** The database, whose connection breaks with the first commit: before the server has it, or before its answer. */
function breakingAtCommit(when: 'before' | 'after', onBreak = () => {}): Pick<Database, 'withConnection'> {
  let isWhole = true;
  return {
    withConnection: (work, timeoutMs) =>
      proxied.withConnection(
        (statements) =>
          work({
            ...statements,
            async query(sql, values) {
              if (sql !== 'commit' || !isWhole) return await statements.query(sql, values);
              isWhole = false;
              if (when === 'after') await statements.query(sql);
              else await statements.query('rollback');
              onBreak();
              throw Object.assign(new Error('lost'), { code: 'PROTOCOL_CONNECTION_LOST' });
            },
          }),
        timeoutMs,
      ),
  };
}

test.each(['before', 'after'] as const)('saves once where the connection is lost %s the commit is done', async (when) => {
  const saved = await createImageWriter({ database: breakingAtCommit(when) }).save(images('a', 'b'), newToken());
  expect(saved).toMatchObject([{ isNew: true }, { isNew: true }]);
  expect((await rows()).map(({ id }) => id)).toEqual(saved.map(({ id }) => id));
});

test('says so where it cannot be found out what became of a commit', async () => {
  const { targetPort } = proxy;
  const database = breakingAtCommit('after', () => {
    proxy.targetPort = 1;
    proxy.cut();
  });
  const saving = createImageWriter({ database, decideMs: 300 }).save(images('a'), newToken());
  await expect(saving).rejects.toBeInstanceOf(UndecidedError);
  proxy.targetPort = targetPort;
});

test('an INSERT that is carried out after its client was told otherwise saves nothing', async () => {
  const { targetPort } = proxy;
  const { result } = await whileLocked(
    () => createImageWriter({ database: proxied }).save(images('a'), newToken()),
    () => {
      proxy.targetPort = 1;
      proxy.cut();
    },
  );
  const error = await result.catch((reason) => reason);
  expect(error).not.toBeInstanceOf(UndecidedError);
  expect(isDatabaseAway(error)).toBe(true);
  proxy.targetPort = targetPort;
  await vi.waitFor(async () => {
    const inserting = "select 1 from information_schema.processlist where info like 'insert into images%'";
    expect(await direct.query<RowDataPacket[]>(inserting)).toHaveLength(0);
  });
  expect(await rows()).toEqual([]);
});

test('a connection that had ended already is replaced, and nobody learns of it', async () => {
  await Promise.all(Array.from({ length: 3 }, () => proxied.query('select 1')));
  proxy.cut();
  const saved = await createImageWriter({ database: proxied }).save(images('a'), newToken());
  expect(saved).toMatchObject([{ isNew: true }]);
});

test('a database that cannot be reached has saved nothing, and nobody waits for it', async () => {
  const nowhere = createDatabase({ host: '127.0.0.1', port: 1, database: 'x', user: 'x', password: 'x' });
  const saving = createImageWriter({ database: nowhere, decideMs: 60_000 }).save(images('a'), newToken());
  await expect(saving).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await nowhere.close();
});
