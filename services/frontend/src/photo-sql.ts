import { type Outcome, type StatusWord, statusOf } from '@kube-face/shared-lib/image-status';
import { PHOTO_COLUMNS } from './photo.ts';
import type { PhotoQuery, Place, Sort } from './photo-query.ts';

export type Sql = { sql: string; values: (string | number | Date | Buffer)[] };
export type Direction = 'forward' | 'backward';

/** A stretch of the table in its order: beyond `from`, and up to `to` where it ends before the table does. */
export type Stretch = { from: Place | undefined; to?: Place; direction: Direction };

const NOTHING: Sql = { sql: '', values: [] };

function all(conditions: readonly Sql[]): Sql {
  const given = conditions.filter(({ sql }) => sql !== '');
  return { sql: given.map(({ sql }) => sql).join(' and ') || 'true', values: given.flatMap(({ values }) => values) };
}

function isDescending(sort: Sort, direction: Direction): boolean {
  return (sort === 'newest' || sort === 'finished') === (direction === 'forward');
}

function orderOf(sort: Sort, direction: Direction): string {
  const way = isDescending(sort, direction) ? 'desc' : 'asc';
  if (sort === 'path') return `i.path_bytes ${way}`;
  return sort === 'finished' ? `i.finished_at ${way}, i.id ${way}` : `i.id ${way}`;
}

type Comparison = '<' | '>' | '<=' | '>=';

/** Rows whose place compares so with `place`. `id` is the column that holds the photo's id. */
function compared(place: Place, comparison: Comparison, id = 'i.id'): Sql {
  if ('path' in place) return { sql: `i.path_bytes ${comparison} ?`, values: [Buffer.from(place.path)] };
  if (!place.finishedAt) return { sql: `${id} ${comparison} ?`, values: [place.id] };
  const strict = comparison.charAt(0);
  return {
    sql: `(i.finished_at ${strict}= ? and (i.finished_at ${strict} ? or i.id ${comparison} ?))`,
    values: [place.finishedAt, place.finishedAt, place.id],
  };
}

function stretched({ from, to, direction }: Stretch, sort: Sort, id?: string): Sql {
  const isDown = isDescending(sort, direction);
  return all([from ? compared(from, isDown ? '<' : '>', id) : NOTHING, to ? compared(to, isDown ? '>=' : '<=', id) : NOTHING]);
}

/** What a row without an outcome means, as `outcomeOf` has it. */
const UNWRITTEN: Readonly<Partial<Record<Outcome, { status: StatusWord; sql: string }>>> = {
  match: { status: 'processed', sql: 'i.status = 1 and i.person > 0' },
  unknown: { status: 'processed', sql: 'i.status = 1 and i.person <= 0' },
  internal: { status: 'failed', sql: 'i.status = 2' },
};

function unwrittenOf({ outcome, readsOriginal }: PhotoQuery) {
  return readsOriginal && outcome ? UNWRITTEN[outcome] : undefined;
}

type Filter = 'person' | 'outcome' | 'status' | 'search';
const FILTERS: readonly Filter[] = ['person', 'outcome', 'status', 'search'];

function conditionOf(filter: Filter, query: PhotoQuery): Sql {
  const unwritten = unwrittenOf(query);
  const status = query.status ?? unwritten?.status;
  if (filter === 'status' && status) return { sql: 'i.status = ?', values: [statusOf(status)] };
  if (filter === 'outcome' && query.outcome) {
    const sql = unwritten ? `(i.outcome = ? or (i.outcome is null and ${unwritten.sql}))` : 'i.outcome = ?';
    return { sql, values: [query.outcome] };
  }
  if (filter === 'person' && query.person) {
    const sql = '(i.person = ? or exists (select 1 from faces f where f.image = i.id and f.person = ?))';
    return { sql, values: [query.person, query.person] };
  }
  if (filter === 'search' && query.search) {
    const pattern = `%${query.search.replace(/[!%_]/g, '!$&')}%`;
    return { sql: "i.path collate utf8mb4_general_ci like ? escape '!'", values: [pattern] };
  }
  return NOTHING;
}

/** The filter that the order's index serves, if there is one: the narrowest. */
function driverOf(query: PhotoQuery): 'person' | 'outcome' | 'status' | undefined {
  if (query.sort === 'finished' || query.sort === 'path') return undefined;
  if (query.person) return 'person';
  if (unwrittenOf(query)) return 'status';
  if (query.outcome) return 'outcome';
  return query.status ? 'status' : undefined;
}

/** What the driving index does not decide. */
function restOf(query: PhotoQuery): Sql {
  const driver = driverOf(query);
  return all(FILTERS.filter((filter) => filter !== driver).map((filter) => conditionOf(filter, query)));
}

/** Whether some rows of the driving index are not wanted, so that reading on until a page is full has no bound of its own. */
export function needsScan(query: PhotoQuery): boolean {
  return restOf(query).sql !== 'true';
}

const DRIVER_INDEX = { outcome: 'images_outcome', status: 'images_status' } as const;
const SORT_INDEX = { newest: 'primary', oldest: 'primary', finished: 'images_finished', path: 'images_path_bytes' } as const;

/** Rows of one index, from a known place on: `from … where …`. The optimizer is told which, since a guess could cost a whole table. */
function fromIndex(query: PhotoQuery, stretch: Stretch, rest: Sql): Sql {
  const driver = driverOf(query);
  const index = driver && driver !== 'person' ? DRIVER_INDEX[driver] : SORT_INDEX[query.sort];
  const where = all([
    driver ? conditionOf(driver, query) : NOTHING,
    query.sort === 'finished' ? { sql: 'i.finished_at is not null', values: [] } : NOTHING,
    stretched(stretch, query.sort),
    rest,
  ]);
  return {
    sql: `from images i force index (${index}) left join person p on p.id = i.person where ${where.sql}`,
    values: where.values,
  };
}

/** The first `rows` photos with a person on them; whoever is on a group photo beside its best face is found there, too. */
function fromPeople(query: PhotoQuery & { person: number }, stretch: Stretch, rows: number): Sql {
  const order = orderOf(query.sort, stretch.direction);
  const byRow = all([{ sql: 'i.person = ?', values: [query.person] }, stretched(stretch, query.sort)]);
  const byFace = all([{ sql: 'f.person = ?', values: [query.person] }, stretched(stretch, query.sort, 'f.image')]);
  return {
    sql: `
    from (
      (select i.id from images i force index (images_person) where ${byRow.sql} order by ${order} limit ?)
      union
      (select f.image from faces f force index (faces_person) where ${byFace.sql} order by ${order.replace('i.id', 'f.image')} limit ?)
      order by ${order.replace('i.id', 'id')} limit ?
    ) found join images i on i.id = found.id left join person p on p.id = i.person`,
    values: [...byRow.values, rows, ...byFace.values, rows, rows],
  };
}

function hasPersonDriver(query: PhotoQuery): query is PhotoQuery & { person: number } {
  return driverOf(query) === 'person';
}

/** The first `limit` photos of a query in a stretch; with a person, those among the stretch's first `scanned` ones. */
export function selectPhotos(query: PhotoQuery, stretch: Stretch, limit: number, scanned: number): Sql {
  const rest = restOf(query);
  const tail = `order by ${orderOf(query.sort, stretch.direction)} limit ?`;
  if (!hasPersonDriver(query)) {
    const { sql, values } = fromIndex(query, stretch, rest);
    return { sql: `select ${PHOTO_COLUMNS} ${sql} ${tail}`, values: [...values, limit] };
  }
  const { sql, values } = fromPeople(query, stretch, scanned);
  return { sql: `select ${PHOTO_COLUMNS} ${sql} where ${rest.sql} ${tail}`, values: [...values, ...rest.values, limit] };
}

/** The photo, wanted or not, that is the `scanned`-th of the driving index in a stretch; none where the stretch is shorter. */
export function selectEnd(query: PhotoQuery, stretch: Stretch, scanned: number): Sql {
  const tail = `order by ${orderOf(query.sort, stretch.direction)} limit 1 offset ?`;
  const { sql, values } = hasPersonDriver(query) ? fromPeople(query, stretch, scanned) : fromIndex(query, stretch, NOTHING);
  return {
    sql: `select i.id, i.path, i.finished_at ${sql.replace(' left join person p on p.id = i.person', '')} ${tail}`,
    values: [...values, scanned - 1],
  };
}
