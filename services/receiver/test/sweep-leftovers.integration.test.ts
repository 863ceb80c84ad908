import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silent } from '@kube-face/shared-lib/logger';
import type { Database } from '@kube-face/shared-lib/mysql';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { mysqlEnv } from '../../../test/harness/database.ts';
import { startService } from '../../../test/harness/service.ts';
import { isUploadName, newTemporaryName, newUploadName, uploadPath } from '../src/photo-names.ts';
import { createSweepLeftovers } from '../src/sweep-leftovers.ts';
import { fakePhoto } from './fake-gallery.ts';
import { ask, photoForm, startWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  await world.database.query('delete from images');
  for (const folder of [world.knownPeople, world.unknownPeople]) {
    for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
  }
});

const going = new AbortController().signal;
const HOUR_MS = 3_600_000;
const PHOTO = fakePhoto([{ looks: 1 }]);
const within = { timeout: 20_000, interval: 10 };
const inAnHour = () => Date.now() + HOUR_MS;

async function sweep(now: () => number): Promise<void> {
  const { database, knownPeople, unknownPeople } = world;
  await createSweepLeftovers({ database, knownPeople, unknownPeople, log: silent, now })(going);
}

async function write(folder: string, ...names: string[]): Promise<string[]> {
  for (const name of names) await writeFile(join(folder, name), 'bytes');
  return names;
}

const post = (path: string) => world.database.query('insert into images (path) values (?)', [path]);
const left = async (folder = world.unknownPeople) => (await readdir(folder)).toSorted();

test('an uploaded photo without a row goes after an hour, one with a row stays', async () => {
  const [orphan = '', named = ''] = await write(world.unknownPeople, newUploadName('jpg'), newUploadName('png'));
  await post(uploadPath(named));

  await sweep(() => inAnHour() - 60_000);
  expect(await left()).toEqual([orphan, named].toSorted());

  await sweep(inAnHour);
  expect(await left()).toEqual([named]);
});

test('however its row spells the path', async () => {
  const spellings = [(name: string) => name, (name: string) => `./${name}`, (name: string) => join(world.unknownPeople, name)];
  const names = await write(world.unknownPeople, ...spellings.map(() => newUploadName('webp')));
  for (const [index, spell] of spellings.entries()) await post(spell(names[index] ?? ''));

  await sweep(inAnHour);
  expect(await left()).toEqual(names.toSorted());
});

test('what is not of our making stays, however old and nameless', async () => {
  const theirs = [
    'upload-1.jpg',
    'a.jpg',
    `${newUploadName('jpg')}.bak`,
    newUploadName('jpg').toUpperCase(),
    '.hidden',
    'upload',
  ];
  await write(world.unknownPeople, ...theirs);
  const [folder, link] = [newUploadName('jpg'), newUploadName('jpg')];
  await mkdir(join(world.unknownPeople, folder));
  await symlink(join(world.unknownPeople, 'a.jpg'), join(world.unknownPeople, link));
  const known = await write(world.knownPeople, 'hannibal_1.jpg', newUploadName('jpg')); // without an owner: not ours to judge

  await sweep(inAnHour);
  expect(await left()).toEqual([...theirs, folder, link].toSorted());
  expect(await left(world.knownPeople)).toEqual(known.toSorted());
});

test('temporary files go from both folders after an hour', async () => {
  for (const folder of [world.knownPeople, world.unknownPeople]) await write(folder, newTemporaryName());
  await sweep(() => inAnHour() - 60_000);
  expect([(await left()).length, (await left(world.knownPeople)).length]).toEqual([1, 1]);

  await sweep(inAnHour);
  expect([await left(), await left(world.knownPeople)]).toEqual([[], []]);
});

test('a folder full of photos without rows is not emptied: the database may not be its own', async () => {
  const names = await write(world.unknownPeople, ...Array.from({ length: 101 }, () => newUploadName('jpg')));
  await sweep(inAnHour);
  expect(await left()).toHaveLength(101);

  await post(uploadPath(names[0] ?? ''));
  await sweep(inAnHour);
  expect(await left()).toEqual([names[0]]);
});

test('several receivers may sweep at once: what another has removed meanwhile is no fault', async () => {
  await write(world.unknownPeople, newUploadName('jpg'), newUploadName('jpg'));
  const { database, knownPeople, unknownPeople } = world;
  const overtaken: Pick<Database, 'query'> = {
    async query(sql, values) {
      await sweep(inAnHour);
      return database.query(sql, values);
    },
  };
  await createSweepLeftovers({ database: overtaken, knownPeople, unknownPeople, log: silent, now: inAnHour })(going);
  expect(await left()).toEqual([]);
});

test('a receiver that closes removes nothing by half a look', async () => {
  await write(world.unknownPeople, newUploadName('jpg'), newTemporaryName());
  const { database, knownPeople, unknownPeople } = world;
  await createSweepLeftovers({ database, knownPeople, unknownPeople, log: silent, now: inAnHour })(AbortSignal.abort());
  expect(await left()).toHaveLength(2);
});

test('a receiver that dies between writing the file and the row leaves a file that is swept', async () => {
  const { mysql, nsq, knownPeople, unknownPeople, gallery, database } = world;
  const receiver = await startService('receiver', {
    ...mysqlEnv(mysql),
    ...nsq.env,
    KNOWN_PEOPLE: knownPeople,
    UNKNOWN_PEOPLE: unknownPeople,
    GRPC_ADDRESS: gallery.address,
  });
  await vi.waitFor(async () => expect((await ask(`${receiver.url}/stats`, 'GET')).status).toBe(200), within);

  await database.withConnection(async (statements) => {
    await statements.query('lock tables images write');
    try {
      const refused = expect(ask(`${receiver.url}/image/upload`, 'POST', photoForm([PHOTO]))).rejects.toThrow();
      await vi.waitFor(async () => expect((await left()).filter(isUploadName)).toHaveLength(1), within);
      await receiver.kill();
      await refused;
    } finally {
      await statements.query('unlock tables');
    }
  }, 30_000);
  expect(await left()).toHaveLength(1);
  expect(await database.query('select path from images')).toEqual([]); // nobody commits any more

  await sweep(inAnHour);
  expect(await left()).toEqual([]);
});
