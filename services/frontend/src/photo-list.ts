import type { RowDataPacket, Statements } from '@kube-face/shared-lib/mysql';
import { type Photo, type PhotoRow, toPhoto } from './photo.ts';
import type { PhotoQuery, Place, Sort } from './photo-query.ts';
import { type Direction, needsScan, type Stretch, selectEnd, selectPhotos } from './photo-sql.ts';

export const PAGE_SIZE = 50;

// A filter that no index serves in the chosen order (a part of a path, or a second filter) is looked for among this many
// photos at a time, and a request looks through no more than so many times that: its cost does not grow with the table.
const BOUNDS = { size: PAGE_SIZE, scanSize: 20_000, scans: 6 };

export type PhotoList = Readonly<{
  photos: readonly Photo[];
  /** The places where the pages before and after this one begin; absent where there are none. */
  newer?: Place;
  older?: Place;
  /** The search looked through this many photos and stopped before the end; `older` (or `newer`) goes on. */
  searched?: number;
}>;

type PlaceRow = { id: number; path: string; finishedAt: Date | null };

function placeOf(row: PlaceRow | undefined, sort: Sort): Place | undefined {
  if (!row) return undefined;
  if (sort === 'path') return { path: row.path };
  if (sort === 'finished') return { id: row.id, finishedAt: row.finishedAt ?? new Date(0) };
  return { id: row.id };
}

async function endOfScan(db: Statements, query: PhotoQuery, stretch: Stretch, scanned: number): Promise<Place | undefined> {
  const { sql, values } = selectEnd(query, stretch, scanned);
  const [row] = await db.query<(RowDataPacket & { id: number; path: string; finished_at: Date | null })[]>(sql, values);
  return placeOf(row && { id: row.id, path: row.path, finishedAt: row.finished_at }, query.sort);
}

/** Up to `limit` photos beyond a place, and where the search for them stopped, if it did before the table's end. */
async function collect(db: Statements, query: PhotoQuery, start: Stretch, limit: number, bounds: typeof BOUNDS) {
  const photos: Photo[] = [];
  let { from } = start;
  for (let scan = 1; scan <= bounds.scans; scan += 1) {
    const stretch = { ...start, from };
    const to = needsScan(query) ? await endOfScan(db, query, stretch, bounds.scanSize) : undefined;
    const scanned = needsScan(query) ? bounds.scanSize : limit;
    const { sql, values } = selectPhotos(query, { ...stretch, to }, limit - photos.length, scanned);
    photos.push(...(await db.query<PhotoRow[]>(sql, values)).map(toPhoto));
    if (!to || photos.length === limit) return { photos, stopped: undefined };
    from = to;
  }
  return { photos, stopped: from };
}

/** One page of the table. Each statement reads one index from a known place on, so a page costs the same anywhere. */
export async function listPhotos(db: Statements, query: PhotoQuery, bounds = BOUNDS): Promise<PhotoList> {
  const { size } = bounds;
  const direction: Direction = query.before ? 'backward' : 'forward';
  const from = query.before ?? query.after;
  const { photos, stopped } = await collect(db, query, { from, direction }, size + 1, bounds);

  const shown = photos.slice(0, size);
  const further = photos.length > size ? placeOf(shown.at(-1), query.sort) : stopped;
  if (direction === 'backward') shown.reverse();
  const [older, newer] =
    direction === 'forward'
      ? [further, query.after && placeOf(shown[0], query.sort)]
      : [placeOf(shown.at(-1), query.sort), further];
  return { photos: shown, newer, older, searched: stopped && bounds.scans * bounds.scanSize };
}
