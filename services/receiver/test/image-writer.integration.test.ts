import { silent } from '@kube-face/shared-lib/logger';
import { migrate } from '@kube-face/shared-lib/migrate';
import { createDatabase, type Database, type RowDataPacket } from '@kube-face/shared-lib/mysql';
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

test('two writers with the same paths at once make each row once', async () => {
  const paths = Array.from({ length: 200 }, (_, index) => `${index}`);
  const all = await Promise.all(
    [paths, paths.toReversed(), paths].map((list) => createImageWriter({ database: direct }).save(images(...list), newToken())),
  );
  expect(await rows()).toHaveLength(200);
  expect(all.flat().filter(({ isNew }) => isNew)).toHaveLength(200);
});

test('finds out what became of an INSERT whose connection was lost', async () => {
  const writer = createImageWriter({ database: proxied });
  const { result } = await whileLocked(
    () => writer.save(images('a', 'b'), newToken()),
    () => proxy.cut(),
  );
  const saved = await result;
  expect(saved).toMatchObject([{ isNew: true }, { isNew: true }]);
  expect((await rows()).map(({ id }) => id)).toEqual(saved.map(({ id }) => id));
});

test('says so where that cannot be found out', async () => {
  const writer = createImageWriter({ database: proxied, decideMs: 300 });
  const { targetPort } = proxy;
  const { result } = await whileLocked(
    () => writer.save(images('a'), newToken()),
    () => {
      proxy.targetPort = 1;
      proxy.cut();
    },
  );
  await expect(result).rejects.toBeInstanceOf(UndecidedError);
  proxy.targetPort = targetPort;
});

test('a database that cannot be reached has saved nothing, and nobody waits for it', async () => {
  const nowhere = createDatabase({ host: '127.0.0.1', port: 1, database: 'x', user: 'x', password: 'x' });
  const saving = createImageWriter({ database: nowhere, decideMs: 60_000 }).save(images('a'), newToken());
  await expect(saving).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await nowhere.close();
});
