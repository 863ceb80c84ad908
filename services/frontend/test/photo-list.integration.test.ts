import { OUTCOMES, type Outcome, STATUS_WORDS, statusOf } from '@kube-face/shared-lib/image-status';
import type { Database, RowDataPacket } from '@kube-face/shared-lib/mysql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freshTables } from '../../../test/harness/database.ts';
import type { Photo } from '../src/photo.ts';
import { listPhotos, type PhotoList } from '../src/photo-list.ts';
import { type PhotoQuery, SORTS } from '../src/photo-query.ts';
import { later } from './fakes.ts';

const COUNT = 240;
const BOUNDS = { size: 7, scanSize: 1_000, scans: 5 };

let database: Database;
let all: Photo[];
/** Who is on a photo, beside the person of its best face. */
const others = new Map<number, number>();

beforeAll(async () => {
  database = await freshTables();
  await database.query("insert into person (id, name) values (1, 'Face'), (2, 'Hannibal'), (3, 'Murdock')");
  const rows = Array.from({ length: COUNT }, (_, index) => {
    const outcome = OUTCOMES[(index * 7) % OUTCOMES.length] ?? 'match';
    const status = index % 9 === 0 ? 'pending' : ['match', 'unknown', 'no_face'].includes(outcome) ? 'processed' : 'failed';
    const isDone = status !== 'pending';
    // Three photos at a time are finished in the same millisecond, and paths do not follow the ids.
    const finished = isDone ? later(Math.floor(((index * 83) % COUNT) / 3)) : null;
    const path = `${['a', 'B', 'ä', '100%_'][index % 4]}/${(index * 101) % COUNT}.jpg`;
    return [
      index + 1,
      path,
      statusOf(status),
      isDone ? outcome : null,
      outcome === 'match' && isDone ? 1 + (index % 2) : -1,
      finished,
    ];
  });
  await database.query('insert into images (id, path, status, outcome, person, finished_at) values ?', [rows]);
  for (let id = 5; id <= COUNT; id += 11) others.set(id, 2);
  const faces = [...others].map(([image, person]) => [image, 1, '{"x":1,"y":1,"width":9,"height":9}', 0.9, person]);
  await database.query('insert into faces (image, position, box, score, person) values ?', [faces]);
  all = [...(await listPhotos(database, { sort: 'oldest' }, { ...BOUNDS, size: COUNT })).photos];
});

afterAll(() => database.close());

function expected({ status, outcome, person, search, sort }: PhotoQuery): number[] {
  const bytes = (path: string) => Buffer.from(path);
  const time = (photo: Photo) => photo.finishedAt?.getTime() ?? 0;
  return all
    .filter((photo) => !status || photo.status === status)
    .filter((photo) => !outcome || photo.outcome === outcome)
    .filter((photo) => !person || photo.person?.id === person || others.get(photo.id) === person)
    .filter((photo) => !search || photo.path.toLowerCase().includes(search.toLowerCase()))
    .filter((photo) => sort !== 'finished' || photo.finishedAt !== null)
    .toSorted((left, right) => {
      if (sort === 'newest') return right.id - left.id;
      if (sort === 'oldest') return left.id - right.id;
      if (sort === 'path') return Buffer.compare(bytes(left.path), bytes(right.path));
      return time(right) - time(left) || right.id - left.id;
    })
    .map(({ id }) => id);
}

const idsOf = ({ photos }: PhotoList) => photos.map(({ id }) => id);

const FILTERS: Omit<PhotoQuery, 'sort'>[] = [
  {},
  { status: 'pending' },
  { status: 'failed' },
  { outcome: 'match' },
  { person: 2 },
  { person: 99 },
  { search: 'b/1' },
  { search: '100%_/' },
  { status: 'failed', outcome: 'timeout' },
  { status: 'pending', outcome: 'match' },
  { status: 'processed', person: 2, search: '1' },
];

const QUERIES = FILTERS.flatMap((filter) => SORTS.map((sort) => ({ ...filter, sort })));

async function walk(query: PhotoQuery, bounds: typeof BOUNDS) {
  const ids: number[] = [];
  let page = await listPhotos(database, query, bounds);
  for (;;) {
    ids.push(...idsOf(page));
    if (!page.older) return { ids, last: page };
    page = await listPhotos(database, { ...query, after: page.older }, bounds);
  }
}

test.for(QUERIES)('pages forth and back: %j', async (query) => {
  const wanted = expected(query);
  const { ids, last } = await walk(query, BOUNDS);
  expect(ids).toEqual(wanted);

  let page = last;
  const back = idsOf(page);
  while (page.newer) {
    page = await listPhotos(database, { ...query, before: page.newer }, BOUNDS);
    back.unshift(...idsOf(page));
  }
  expect(back).toEqual(wanted);
});

test.for(QUERIES)('a search that stops again and again finds all the same: %j', async (query) => {
  expect((await walk(query, { size: 7, scanSize: 9, scans: 2 })).ids).toEqual(expected(query));
});

test('photos of the original’s processor, which writes no outcome, are found by what they mean', async () => {
  const path = 'original';
  await database.query('insert into images (id, path, status, person) values (?), (?), (?), (?)', [
    [1_001, `${path}/a`, 1, 2],
    [1_002, `${path}/b`, 1, -1],
    [1_003, `${path}/c`, 2, -1],
    [1_004, `${path}/d`, 0, -1],
  ]);
  const find = async (outcome: Outcome) =>
    idsOf(await listPhotos(database, { sort: 'newest', outcome, search: path, readsOriginal: true }, BOUNDS));
  expect([await find('match'), await find('unknown'), await find('internal'), await find('timeout')]).toEqual([
    [1_001],
    [1_002],
    [1_003],
    [],
  ]);
  const { ids } = await walk({ sort: 'oldest', outcome: 'match', readsOriginal: true }, BOUNDS);
  expect(ids).toEqual([...expected({ sort: 'oldest', outcome: 'match' }), 1_001]);
  await database.query('delete from images where id > 1000');
});

test('every status has photos in the table that is tested with, and every filter but two finds some', () => {
  expect(new Set(all.map(({ status }) => status)).size).toBe(STATUS_WORDS.length - 1);
  expect(FILTERS.filter((filter) => expected({ ...filter, sort: 'newest' }).length === 0)).toEqual([
    { person: 99 },
    { status: 'pending', outcome: 'match' },
  ]);
});

test('a search stops after so many photos, says so, and goes on from there', async () => {
  const bounds = { size: 7, scanSize: 20, scans: 2 };
  const query: PhotoQuery = { sort: 'newest', search: all[2]?.path };
  const first = await listPhotos(database, query, bounds);
  expect(first).toMatchObject({ photos: [], searched: 40, older: { id: COUNT - 39 } });
  let page = first;
  let pages = 1;
  while (page.photos.length === 0 && page.older) {
    page = await listPhotos(database, { ...query, after: page.older }, bounds);
    pages += 1;
  }
  expect([idsOf(page), pages]).toEqual([[3], 6]);
});

const ROWS_READ = `
  select cast(sum(variable_value) as double) as n from information_schema.session_status
  where variable_name like 'HANDLER_READ%'`;
const ROWS_READ_MYSQL = `
  select cast(sum(variable_value) as double) as n from performance_schema.session_status
  where variable_name like 'Handler_read%'`;

test.for<PhotoQuery>([
  { sort: 'newest' },
  { sort: 'oldest', after: { id: 100 } },
  { sort: 'finished' },
  { sort: 'path' },
  { sort: 'newest', status: 'failed' },
  { sort: 'newest', outcome: 'timeout', after: { id: 200 } },
  { sort: 'newest', person: 1 },
])('a page costs what is on it, not what is in the table: %j', async (query) => {
  await database.withConnection(async (statements) => {
    const [server] = await statements.query<RowDataPacket[]>('select version() as version');
    const sql = String(server?.version).includes('MariaDB') ? ROWS_READ : ROWS_READ_MYSQL;
    const read = async () => {
      const [row] = await statements.query<(RowDataPacket & { n: number })[]>(sql);
      return row?.n ?? 0;
    };
    const before = await read();
    const idle = (await read()) - before;
    const start = await read();
    expect((await listPhotos(statements, query, BOUNDS)).photos).toHaveLength(BOUNDS.size);
    expect((await read()) - start - idle).toBeLessThanOrEqual(8 * (BOUNDS.size + 1));
  });
});
