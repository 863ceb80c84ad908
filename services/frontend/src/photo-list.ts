import { statusOf } from '@kube-face/shared-lib/image-status';
import type { Statements } from '@kube-face/shared-lib/mysql';
import { PHOTO_COLUMNS, type Photo, type PhotoRow, toPhoto } from './photo.ts';
import type { PhotoQuery, Place, Sort } from './photo-query.ts';

export const PAGE_SIZE = 50;

// A filter that no index serves in the chosen order (a part of a path, or a second filter) is looked for among this many
// photos at a time, and a request looks through no more than so many times that: its cost does not grow with the table.
const BOUNDS = { size: PAGE_SIZE, scanSize: 20_000, scans: 5 };

export type PhotoList = Readonly<{
  photos: readonly Photo[];
  /** The places where the pages before and after this one begin; absent where there are none. */
  newer?: Place;
  older?: Place;
  /** The search looked through this many photos and stopped before the end; `older` goes on. */
  searched?: number;
}>;

type Sql = { sql: string; values: (string | number | Date | Buffer)[] };
type Direction = 'forward' | 'backward';

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

/** Rows beyond `place` in the order. `id` is the column that holds the photo's id. */
function beyond(place: Place | undefined, sort: Sort, direction: Direction, id = 'i.id'): Sql {
  if (!place) return NOTHING;
  const sign = isDescending(sort, direction) ? '<' : '>';
  if ('path' in place) return { sql: `i.path_bytes ${sign} ?`, values: [Buffer.from(place.path)] };
  if (!place.finishedAt) return { sql: `${id} ${sign} ?`, values: [place.id] };
  return {
    sql: `(i.finished_at ${sign}= ? and (i.finished_at ${sign} ? or i.id ${sign} ?))`,
    values: [place.finishedAt, place.finishedAt, place.id],
  };
}

type Filter = 'person' | 'outcome' | 'status' | 'search';

function conditionOf(filter: Filter, query: PhotoQuery): Sql {
  if (filter === 'status' && query.status) return { sql: 'i.status = ?', values: [statusOf(query.status)] };
  if (filter === 'outcome' && query.outcome) return { sql: 'i.outcome = ?', values: [query.outcome] };
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
function driverOf(query: PhotoQuery): Filter | undefined {
  if (query.sort === 'finished' || query.sort === 'path') return undefined;
  if (query.person) return 'person';
  if (query.outcome) return 'outcome';
  return query.status ? 'status' : undefined;
}

const DRIVER_INDEX = { outcome: 'images_outcome', status: 'images_status', search: 'primary' } as const;
const SORT_INDEX = { newest: 'primary', oldest: 'primary', finished: 'images_finished', path: 'images_path_bytes' } as const;

/** The ids in the order, beyond `place`, straight from one index. Ends in `limit ?` without its value. */
function idsOf(query: PhotoQuery, place: Place | undefined, direction: Direction, rows: number): Sql {
  const driver = driverOf(query);
  const order = orderOf(query.sort, direction);
  if (driver === 'person') {
    // Whoever is on a group photo is found there too, not only the person of its best face.
    const byRow = all([{ sql: 'i.person = ?', values: [query.person as number] }, beyond(place, query.sort, direction)]);
    const byFace = all([
      { sql: 'f.person = ?', values: [query.person as number] },
      beyond(place, query.sort, direction, 'f.image'),
    ]);
    return {
      sql: `
        (select i.id from images i force index (images_person) where ${byRow.sql} order by ${order} limit ?)
        union
        (select f.image from faces f force index (faces_person) where ${byFace.sql} order by ${order.replace('i.id', 'f.image')} limit ?)
        order by ${order.replace('i.id', 'id')} limit ?`,
      values: [...byRow.values, rows, ...byFace.values, rows],
    };
  }
  const index = driver ? DRIVER_INDEX[driver] : SORT_INDEX[query.sort];
  const where = all([
    driver ? conditionOf(driver, query) : NOTHING,
    query.sort === 'finished' ? { sql: 'i.finished_at is not null', values: [] } : NOTHING,
    beyond(place, query.sort, direction),
  ]);
  return {
    sql: `select i.id from images i force index (${index}) where ${where.sql} order by ${order} limit ?`,
    values: where.values,
  };
}

/** What the driving index does not decide. */
function restOf(query: PhotoQuery): Sql {
  const driver = driverOf(query);
  const filters: Filter[] = ['person', 'outcome', 'status', 'search'];
  return all(filters.filter((filter) => filter !== driver).map((filter) => conditionOf(filter, query)));
}

async function selectPhotos(db: Statements, ids: Sql, rest: Sql, order: string, limit: number): Promise<Photo[]> {
  const sql = `
    select ${PHOTO_COLUMNS}
    from (${ids.sql}) picked join images i on i.id = picked.id left join person p on p.id = i.person
    where ${rest.sql} order by ${order} limit ?`;
  const rows = await db.query<PhotoRow[]>(sql, [...ids.values, ...rest.values, limit]);
  return rows.map(toPhoto);
}

function placeOf(photo: Photo | undefined, sort: Sort): Place | undefined {
  if (!photo) return undefined;
  if (sort === 'path') return { path: photo.path };
  if (sort === 'finished') return { id: photo.id, finishedAt: photo.finishedAt ?? new Date(0) };
  return { id: photo.id };
}

/** One page of the table. Each statement reads one index from a known place on, so a page costs the same anywhere. */
export async function listPhotos(db: Statements, query: PhotoQuery, bounds = BOUNDS): Promise<PhotoList> {
  const { size, scanSize } = bounds;
  const direction: Direction = query.before ? 'backward' : 'forward';
  const order = orderOf(query.sort, direction);
  const rest = restOf(query);
  const isScan = rest.sql !== 'true';

  const photos: Photo[] = [];
  let place = query.before ?? query.after;
  let stopped: Place | undefined;
  for (let scans = 1; photos.length <= size; scans += 1) {
    const rows = isScan ? scanSize : size + 1;
    const ids = idsOf(query, place, direction, rows);
    ids.values.push(rows);
    photos.push(...(await selectPhotos(db, ids, rest, order, size + 1 - photos.length)));
    if (!isScan || photos.length > size) break;
    place = await endOfScan(db, query, place, direction, scanSize);
    if (!place) break;
    if (scans === bounds.scans) {
      stopped = place;
      break;
    }
  }

  const hasMore = photos.length > size;
  const shown = photos.slice(0, size);
  const further = hasMore ? placeOf(shown.at(-1), query.sort) : stopped;
  if (direction === 'backward') shown.reverse();
  const [older, newer] =
    direction === 'forward'
      ? [further, query.after && (placeOf(shown[0], query.sort) ?? query.after)]
      : [placeOf(shown.at(-1), query.sort) ?? query.before, further];
  return { photos: shown, newer, older, searched: stopped && bounds.scans * scanSize };
}

/** The place of the last row that a scan from `place` on looks at; undefined where it reaches the end. */
async function endOfScan(db: Statements, query: PhotoQuery, place: Place | undefined, direction: Direction, scanSize: number) {
  const ids = idsOf(query, place, direction, scanSize);
  ids.sql += ' offset ?';
  ids.values.push(1, scanSize - 1);
  const [last] = await selectPhotos(db, ids, all([]), 'i.id', 1);
  return placeOf(last, query.sort);
}
