import { createHash } from 'node:crypto';
import { followsNewest, matches } from './matches.ts';
import { renderPhotoRow } from './pages/photo-row.ts';
import type { Photo } from './photo.ts';
import { type PhotoQuery, parseId } from './photo-query.ts';

/** A photo as a table shows it. `version` changes with anything of it that can be seen. */
export type ShownRow = Readonly<{ id: number; version: string; html: string }>;

/**
 * What a page shows: its query, and the version of each row; a page without a table has no query. Photos up to `floor` belong on
 * the pages after it; 0 where there are none.
 */
export type View = { readonly query: PhotoQuery | undefined; readonly rows: Map<number, string>; floor: number };

/** Rows that are new to a page or look different, and photos that are gone. */
export type Changes = Readonly<{ rows: readonly ShownRow[]; gone: readonly number[] }>;

/** A page follows at most so many rows. */
export const MAX_ROWS = 300;

export function versionOf(html: string): string {
  return createHash('sha256').update(html).digest('base64url').slice(0, 8);
}

export function showRow(photo: Photo): ShownRow {
  const html = renderPhotoRow(photo).toString();
  return { id: photo.id, version: versionOf(html), html };
}

/** `1.kq3vGc2A,2.…`: ids and versions as a page's script sends them. Undefined where it is not that. */
export function parseRows(text: string): Map<number, string> | undefined {
  const rows = new Map<number, string>();
  if (text === '') return rows;
  for (const part of text.split(',')) {
    const [number = '', version = ''] = part.split('.', 2);
    const id = parseId(number);
    if (!id || version.length > 16 || rows.size === MAX_ROWS) return undefined;
    rows.set(id, version);
  }
  return rows;
}

/** What one look at the database found. */
export type Sight = {
  /** The photos that were asked for by id; one without a row is gone. */
  readonly asked: ReadonlySet<number>;
  rowOf(id: number): ShownRow | undefined;
  /** Photos that may belong into a table that does not show them yet. */
  readonly fresh: readonly Photo[];
};

/** What was found of the photos asked for, and of fresh ones. A row is made when the first page needs it. */
export function createSight(asked: readonly number[], watched: readonly Photo[], fresh: readonly Photo[]): Sight {
  const photos = new Map([...fresh, ...watched].map((photo) => [photo.id, photo]));
  const rows = new Map<number, ShownRow>();
  return {
    asked: new Set(asked),
    fresh,
    rowOf(id) {
      const photo = photos.get(id);
      if (!photo) return undefined;
      const row = rows.get(id) ?? showRow(photo);
      rows.set(id, row);
      return row;
    },
  };
}

/** What a page has not shown yet. The view is brought up to date: asked again, it is told nothing twice. */
export function takeChanges(view: View, { asked, rowOf, fresh }: Sight): Changes {
  const { query, rows: known } = view;
  const changed: ShownRow[] = [];
  const gone: number[] = [];
  for (const [id, version] of known) {
    const row = rowOf(id);
    if (row && row.version !== version) changed.push(row);
    if (!row && asked.has(id)) gone.push(id);
  }
  if (query && followsNewest(query)) {
    for (const photo of fresh) {
      if (photo.id <= view.floor || known.has(photo.id) || !matches(photo, query)) continue;
      const row = rowOf(photo.id);
      if (row) changed.push(row);
    }
  }
  for (const id of gone) known.delete(id);
  for (const { id, version } of changed) known.set(id, version);
  // Too many to follow: the oldest are let go of.
  const surplus = Math.max(0, known.size - MAX_ROWS);
  for (const id of [...known.keys()].toSorted((a, b) => a - b).slice(0, surplus)) {
    known.delete(id);
    view.floor = Math.max(view.floor, id);
  }
  return { rows: changed.toSorted((a, b) => a.id - b.id), gone };
}
