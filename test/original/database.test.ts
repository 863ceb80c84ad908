import { silent } from '@kube-face/shared-lib/logger';
import { migrate } from '@kube-face/shared-lib/migrate';
import { createDatabase, type Database, type RowDataPacket } from '@kube-face/shared-lib/mysql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freshDatabase } from '../harness/database.ts';
import { ORIGINAL_SCHEMA, originalDatabase } from './original-database.ts';

let database: Database;
let original: ReturnType<typeof originalDatabase>;

beforeAll(async () => {
  database = createDatabase(await freshDatabase());
  for (const sql of ORIGINAL_SCHEMA) await database.query(sql);
  original = originalDatabase(database);
  await database.query(
    `insert into images (path, person, status) values
       ('/unknown_people/a.jpg', 1, 1), ('/unknown_people/a.jpg', -1, 0), ('/unknown_people/A.jpg', null, 2),
       ('/unknown_people/ä.jpg', -1, 2), ('/unknown_people/a.jpg', null, null)`,
  );
  await migrate(database, silent);
});

afterAll(() => database.close());

test('its rows are there, duplicates told apart and nobody written as -1', async () => {
  expect(await original.frontend.images()).toEqual([
    { id: 1, path: '/unknown_people/a.jpg', person: 1, status: 1 },
    { id: 2, path: '/unknown_people/a.jpg#2', person: -1, status: 0 },
    { id: 3, path: '/unknown_people/A.jpg', person: -1, status: 2 },
    { id: 4, path: '/unknown_people/ä.jpg', person: -1, status: 2 },
    { id: 5, path: '/unknown_people/a.jpg#5', person: -1, status: 0 },
  ]);
});

test('its people and their photos are there', async () => {
  expect(await original.processor.personOf('hannibal_2.jpg')).toEqual({ name: 'Hannibal', id: 1 });
  expect(await original.processor.personOf('nobodys.jpg')).toBeUndefined();
  expect(await original.frontend.nameOf(3)).toBe('John Doe');
});

test('its receiver saves photos, and finds those that are there', async () => {
  expect(await original.receiver.isKnown('/unknown_people/b.jpg')).toBe(false);
  const id = await original.receiver.save('/unknown_people/b.jpg');

  expect(await original.receiver.isKnown('/unknown_people/b.jpg')).toBe(true);
  expect(await original.receiver.isKnown('/unknown_people/B.jpg')).toBe(false);
  expect(await original.receiver.load(id)).toEqual({ id, path: '/unknown_people/b.jpg', person: -1, status: 0 });
});

test('its ids go on where they were', async () => {
  expect(await original.receiver.save('/unknown_people/c.jpg')).toBeGreaterThan(5);
});

test('its processor takes a pending photo and writes a person, or that it failed', async () => {
  const [known, unknown] = [await original.receiver.save('d.jpg'), await original.receiver.save('e.jpg')];
  expect(await original.processor.pathOf(known)).toBe('d.jpg');
  expect(await original.processor.setPerson(known, 1)).toBe(1);
  expect(await original.processor.pathOf(known)).toBeUndefined();
  expect(await original.processor.setFailed(unknown)).toBe(1);

  expect(await original.receiver.load(known)).toMatchObject({ person: 1, status: 1 });
  expect(await original.receiver.load(unknown)).toMatchObject({ person: -1, status: 2 });
  expect((await original.retryer.failedPaths()).map(({ path }) => path)).toContain('e.jpg');
});

test('a photo that it finished is stamped with the time, by the database', async () => {
  const id = await original.receiver.save('f.jpg');
  await database.query('update images set updated_at = current_timestamp(3) - interval 1 hour where id = ?', [id]);
  await original.processor.setPerson(id, 1);
  const [row] = await database.query<RowDataPacket[]>(
    'select timestampdiff(second, updated_at, current_timestamp(3)) as age from images where id = ?',
    [id],
  );

  expect(row?.age).toBeLessThan(60);
});

test('adopting again changes nothing', async () => {
  const before = await database.query('select * from images order by id');
  await migrate(database, silent);

  expect(await database.query('select * from images order by id')).toEqual(before);
});
