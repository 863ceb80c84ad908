import { setTimeout as delay } from 'node:timers/promises';
import {
  type Database,
  isDatabaseAway,
  isDuplicate,
  type ResultSetHeader,
  type RowDataPacket,
} from '@kube-face/shared-lib/mysql';

/** A photo to save; `sha256` of its bytes where they were uploaded. */
export type NewImage = { path: string; sha256?: Buffer; traceParent?: string };
/** A photo's row: the one that was made, or the one that has the path (or the bytes) already. */
export type SavedImage =
  | { id: number; isNew: true }
  | { id: number; isNew: false; path: string; status: number; isQueued: boolean };

export type ImageWriter = {
  /**
   * Saves all of them or none; what is there already is answered, not saved again. The same token again finds what it saved the
   * first time. No path and no bytes may stand twice in `images`. Throws what the database throws; what `isUndecided` tells
   * of those may have been saved nevertheless.
   */
  save(images: readonly NewImage[], token: Buffer): Promise<SavedImage[]>;
};

const INSERT_ONE = 'insert into images (path, batch, content_sha256, trace_parent) values (?, ?, ?, ?)';
const INSERT = 'insert into images (path, batch, content_sha256, trace_parent) values ?';
// Within one INSERT ids rise in the order of the rows, but may have gaps.
const IDS_OF_BATCH = 'select id from images where batch = ? order by id';
const EXISTING = `
  select id, path, path_bytes, content_sha256, batch, status, queued_at is not null as queued
  from images where path_bytes in (?)`;
const EXISTING_CONTENT = `
  select id, path, path_bytes, content_sha256, batch, status, queued_at is not null as queued
  from images where content_sha256 in (?)`;

type ExistingRow = RowDataPacket & {
  id: number;
  path: string;
  path_bytes: Buffer;
  content_sha256: Buffer | null;
  batch: Buffer | null;
  status: number;
  queued: number;
};

const MAX_REFUSALS = 10; // by a row that came between looking and inserting, each time another one
const UNDECIDED = new Set([
  'STATEMENT_TIMEOUT',
  'PROTOCOL_CONNECTION_LOST',
  'ECONNRESET',
  'EPIPE',
  'ER_SERVER_SHUTDOWN',
  'ER_CONNECTION_KILLED',
]);

/** Whether the statement may have been committed although it failed: the connection was lost while it ran. */
export function isUndecided(error: unknown): boolean {
  if (!isDatabaseAway(error)) return false;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === undefined || UNDECIDED.has(String(code));
}

export type WriterDependencies = {
  database: Pick<Database, 'execute' | 'query'>;
  /** How long to find out what became of an INSERT whose connection was lost. */
  decideMs?: number;
  pauseMs?: number;
};

export function createImageWriter({ database, decideMs = 5_000, pauseMs = 100 }: WriterDependencies): ImageWriter {
  // Duplicates come in runs (somebody posts a folder again). While they do, look first: a refused INSERT is work for nothing.
  let expectDuplicates = false;

  async function insert(images: readonly NewImage[], token: Buffer): Promise<number[]> {
    const row = ({ path, sha256, traceParent }: NewImage) => [path, token, sha256 ?? null, traceParent ?? null];
    if (images.length === 1) {
      const result = await database.execute<ResultSetHeader>(INSERT_ONE, row(images[0] as NewImage));
      return [result.insertId];
    }
    await database.query(INSERT, [images.map(row)]);
    const ids = await database.query<RowDataPacket[]>(IDS_OF_BATCH, [token]);
    if (ids.length !== images.length) throw new Error(`saved ${images.length} photos, found ${ids.length}`);
    return ids.map(({ id }) => id);
  }

  async function findExisting(images: readonly NewImage[]): Promise<(image: NewImage) => ExistingRow | undefined> {
    const rows = await database.query<ExistingRow[]>(EXISTING, [images.map(({ path }) => Buffer.from(path))]);
    const hashes = images.flatMap(({ sha256 }) => sha256 ?? []);
    if (hashes.length > 0) rows.push(...(await database.query<ExistingRow[]>(EXISTING_CONTENT, [hashes])));
    const byPath = new Map(rows.map((row) => [row.path_bytes.toString('latin1'), row]));
    const byHash = new Map(rows.flatMap((row) => (row.content_sha256 ? [[row.content_sha256.toString('latin1'), row]] : [])));
    return ({ path, sha256 }) =>
      byPath.get(Buffer.from(path).toString('latin1')) ?? (sha256 && byHash.get(sha256.toString('latin1')));
  }

  async function save(images: readonly NewImage[], token: Buffer): Promise<SavedImage[]> {
    const saved = new Map<NewImage, SavedImage>();
    let look = expectDuplicates;
    let refusals = 0;
    let lost: { error: unknown; giveUpAt: number } | undefined;
    for (;;) {
      try {
        if (look) {
          const existing = await findExisting(images);
          for (const image of images) {
            const row = existing(image);
            if (!row) saved.delete(image);
            else if (row.batch?.equals(token)) saved.set(image, { id: row.id, isNew: true });
            else saved.set(image, { id: row.id, isNew: false, path: row.path, status: row.status, isQueued: row.queued === 1 });
          }
        }
        const rest = images.filter((image) => !saved.has(image));
        const ids = rest.length > 0 ? await insert(rest, token) : [];
        for (const [index, image] of rest.entries()) saved.set(image, { id: ids[index] as number, isNew: true });
        expectDuplicates = rest.length < images.length;
        return images.map((image) => saved.get(image) as SavedImage);
      } catch (error) {
        look = true;
        if (isDuplicate(error)) {
          refusals += 1;
          if (refusals === MAX_REFUSALS) throw error;
        } else {
          // Asking again decides it: the row is there by then, or the same INSERT waits for whatever still runs.
          if (isUndecided(error)) lost ??= { error, giveUpAt: performance.now() + decideMs };
          if (!lost || !isDatabaseAway(error)) throw error;
          if (performance.now() >= lost.giveUpAt) throw lost.error;
          await delay(pauseMs);
        }
      }
    }
  }

  return { save };
}
