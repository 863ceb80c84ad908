import { afterAll, expect, test } from 'vitest';
import { freshDatabase } from '../../../test/harness/database.ts';
import { silent } from '../src/logger.ts';
import { migrate, migrateWhenReachable } from '../src/migrate.ts';
import { createDatabase, type Database, type RowDataPacket } from '../src/mysql.ts';

const ORIGINAL = [
  'create table images (id int not null auto_increment primary key, path varchar(255) not null, person int, status int)',
  'create table person (id int not null auto_increment primary key, name varchar(255) not null)',
  'create table person_images (id int not null auto_increment primary key, image_name varchar(255), person_id int)',
];

const opened: Database[] = [];
afterAll(() => Promise.all(opened.map((database) => database.close())));

async function open(statements: string[] = []): Promise<Database> {
  const database = createDatabase(await freshDatabase());
  opened.push(database);
  for (const sql of statements) await database.query(sql);
  return database;
}

const COLUMNS = `
  select concat(table_name, '.', column_name) as name, data_type as type, is_nullable as nullable,
    coalesce(collation_name, '') as collation, character_maximum_length as length
  from information_schema.columns where table_schema = database() order by table_name, column_name`;
const INDEXES = `
  select distinct concat(table_name, '.', index_name, '.', seq_in_index, '.', column_name, '.', non_unique) as name
  from information_schema.statistics where table_schema = database() order by name`;

/** What statements can tell of a schema. Ids keep the type that the table had, so int and bigint are one. */
async function shapeOf(database: Database) {
  const columns = await database.query<RowDataPacket[]>(COLUMNS);
  const indexes = await database.query<RowDataPacket[]>(INDEXES);
  return {
    columns: columns.map(({ type, ...column }) => ({ ...column, type: String(type).replace('bigint', 'int') })),
    indexes: indexes.map(({ name }) => name),
  };
}

test("the original's database gets the schema that a fresh one has", async () => {
  const [fresh, adopted] = [await open(), await open(ORIGINAL)];
  await migrate(fresh, silent);
  await migrate(adopted, silent);
  expect(await shapeOf(adopted)).toEqual(await shapeOf(fresh));
});

test('several processes may migrate at once, and again', async () => {
  const database = await open(ORIGINAL);
  await Promise.all([migrate(database, silent), migrate(database, silent), migrate(database, silent)]);
  const shape = await shapeOf(database);
  await migrate(database, silent);
  expect(await shapeOf(database)).toEqual(shape);
});

test("the original's rows are kept: nobody is -1, and a path that stands twice gets its id appended", async () => {
  const database = await open([
    ...ORIGINAL,
    "insert into images (path, person, status) values ('a.jpg', null, 0), ('a.jpg', 3, 1), ('A.jpg', -1, 1), ('a.jpg ', -1, 2), ('a.jpg', -1, null)",
  ]);
  await migrate(database, silent);
  expect(await database.query('select id, path, person, status from images order by id')).toEqual([
    { id: 1, path: 'a.jpg', person: -1, status: 0 },
    { id: 2, path: 'a.jpg#2', person: 3, status: 1 },
    { id: 3, path: 'A.jpg', person: -1, status: 1 },
    { id: 4, path: 'a.jpg ', person: -1, status: 2 },
    { id: 5, path: 'a.jpg#5', person: -1, status: 0 },
  ]);
});

test('a migration that was cut off goes on where it ended', async () => {
  const database = await open(ORIGINAL);
  await migrate(database, silent);
  const shape = await shapeOf(database);
  await database.query('alter table images drop key images_path_bytes, drop key images_retry');
  await database.query(
    'alter table images drop key images_content_sha256, drop key images_status, drop key images_status_queued',
  );
  await database.query('alter table images drop key images_outcome, drop key images_person, drop key images_batch');
  await database.query('alter table images drop key images_redeem, drop key images_finished');
  await migrate(database, silent);
  expect(await shapeOf(database)).toEqual(shape);
});

test('a database that is away is waited for until the caller gives up', async () => {
  const nowhere = createDatabase({ ...(await freshDatabase()), port: 1 });
  opened.push(nowhere);
  const giveUp = new AbortController();
  const waiting = migrateWhenReachable(nowhere, silent, giveUp.signal);
  giveUp.abort();
  await expect(waiting).resolves.toBeUndefined();
});
