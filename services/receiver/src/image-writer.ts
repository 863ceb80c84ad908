import { setTimeout as delay } from 'node:timers/promises';
import {
  type Database,
  inTransaction,
  isDatabaseAway,
  isDuplicate,
  type ResultSetHeader,
  type RowDataPacket,
  type Statements,
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
   * first time. No path and no bytes may stand twice in `images`. Throws what the database throws, where nothing was saved, and
   * UndecidedError.
   */
  save(images: readonly NewImage[], token: Buffer): Promise<SavedImage[]>;
};

const INSERT_ONE = 'insert into images (path, batch, content_sha256, trace_parent) values (?, ?, ?, ?)';
const INSERT = 'insert into images (path, batch, content_sha256, trace_parent) values ?';
const INSERT_PATHS = 'insert into images (path, batch) values ?';
// Within one INSERT ids rise in the order of the rows, but may have gaps.
const SPAN_OF_BATCH = 'select min(id) as first, max(id) as last, count(*) as count from images where batch = ?';
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

type SpanRow = RowDataPacket & { first: number; last: number; count: number };

const MAX_REFUSALS = 10; // by a row that came between looking and inserting, or by a deadlock; each time another one

/** The connection was lost while the commit was under way, and what became of it could not be found out. */
export class UndecidedError extends Error {
  override readonly name = 'UndecidedError';
}

// A connection that had ended already, by a restart of the server for one; another one may do.
const BROKEN = new Set(['PROTOCOL_CONNECTION_LOST', 'ECONNRESET', 'EPIPE']);
const MAX_BREAKS = 2;

const STATEMENT_MS = 5_000; // and a millisecond for each row

// The statement was answered: nothing of it was done.
const ANSWERED = /^ER_(?!SERVER_SHUTDOWN|CONNECTION_KILLED)/;
const LOST_A_RACE = new Set(['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT', 'ER_CHECKREAD']);

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');

export type WriterDependencies = {
  database: Pick<Database, 'withConnection'>;
  /** How long to find out what became of a commit whose connection was lost. */
  decideMs?: number;
  pauseMs?: number;
  now?: () => number;
};

export function createImageWriter({
  database,
  decideMs = 5_000,
  pauseMs = 100,
  now = () => performance.now(),
}: WriterDependencies): ImageWriter {
  // Duplicates come in runs (somebody posts a folder again). While they do, look first: a refused INSERT is work for nothing.
  let expectDuplicates = false;

  async function insert(statements: Statements, images: readonly NewImage[], token: Buffer): Promise<number[]> {
    const row = ({ path, sha256, traceParent }: NewImage) => [path, token, sha256 ?? null, traceParent ?? null];
    if (images.length === 1) {
      const result = await statements.execute<ResultSetHeader>(INSERT_ONE, row(images[0] as NewImage));
      return [result.insertId];
    }
    const arePaths = images.every(({ sha256, traceParent }) => sha256 === undefined && traceParent === undefined);
    if (arePaths) await statements.query(INSERT_PATHS, [images.map(({ path }) => [path, token])]);
    else await statements.query(INSERT, [images.map(row)]);
    return idsOfBatch(statements, token, images.length);
  }

  async function idsOfBatch(statements: Statements, token: Buffer, saved: number): Promise<number[]> {
    const [span] = await statements.query<SpanRow[]>(SPAN_OF_BATCH, [token]);
    if (span?.count !== saved) throw new Error(`saved ${saved} photos, found ${span?.count}`);
    const { first, last } = span;
    if (last - first + 1 === saved) return Array.from({ length: saved }, (_, index) => first + index); // no gap
    const rows = await statements.query<RowDataPacket[]>(IDS_OF_BATCH, [token]);
    return rows.map(({ id }) => id);
  }

  /** Photos that are there already, be it by this very token. */
  async function find(statements: Statements, images: readonly NewImage[], token: Buffer): Promise<Map<NewImage, SavedImage>> {
    const rows = await statements.query<ExistingRow[]>(EXISTING, [images.map(({ path }) => Buffer.from(path))]);
    const hashes = images.flatMap(({ sha256 }) => sha256 ?? []);
    if (hashes.length > 0) rows.push(...(await statements.query<ExistingRow[]>(EXISTING_CONTENT, [hashes])));
    const byPath = new Map(rows.map((row) => [row.path_bytes.toString('latin1'), row]));
    const byHash = new Map(rows.flatMap((row) => (row.content_sha256 ? [[row.content_sha256.toString('latin1'), row]] : [])));
    const found = new Map<NewImage, SavedImage>();
    for (const image of images) {
      const { path, sha256 } = image;
      const row = byPath.get(Buffer.from(path).toString('latin1')) ?? (sha256 && byHash.get(sha256.toString('latin1')));
      if (row?.batch?.equals(token)) found.set(image, { id: row.id, isNew: true });
      else if (row)
        found.set(image, { id: row.id, isNew: false, path: row.path, status: row.status, isQueued: row.queued === 1 });
    }
    return found;
  }

  async function saveOnce(
    statements: Statements,
    images: readonly NewImage[],
    token: Buffer,
    look: boolean,
  ): Promise<SavedImage[]> {
    const found = look ? await find(statements, images, token) : new Map<NewImage, SavedImage>();
    const rest = images.filter((image) => !found.has(image));
    const ids = rest.length > 0 ? await insert(statements, rest, token) : [];
    for (const [index, image] of rest.entries()) found.set(image, { id: ids[index] as number, isNew: true });
    expectDuplicates = rest.length < images.length;
    return images.map((image) => found.get(image) as SavedImage);
  }

  async function save(images: readonly NewImage[], token: Buffer): Promise<SavedImage[]> {
    let look = expectDuplicates;
    let refusals = 0;
    let breaks = 0;
    let undecided: { error: UndecidedError; giveUpAt: number } | undefined;
    for (;;) {
      let isCommitting = false;
      try {
        return await database.withConnection((statements) => {
          const saving = () => saveOnce(statements, images, token, look);
          return inTransaction(statements, saving, () => {
            isCommitting = true;
          });
        }, STATEMENT_MS + images.length);
      } catch (error) {
        look = true;
        if (isDuplicate(error) || LOST_A_RACE.has(codeOf(error))) {
          refusals += 1;
          if (refusals === MAX_REFUSALS) throw error;
          continue;
        }
        if (!isDatabaseAway(error)) throw error;
        // Before the commit nothing is saved, whatever a server that hangs still does with the INSERT.
        if (!isCommitting && BROKEN.has(codeOf(error)) && breaks < MAX_BREAKS) {
          breaks += 1;
          continue;
        }
        // Asking again decides it: the rows are there by then, or the same INSERT waits for the commit that still runs.
        if (isCommitting && !ANSWERED.test(codeOf(error))) {
          undecided ??= {
            error: new UndecidedError('whether the photos were saved is not known', { cause: error }),
            giveUpAt: now() + decideMs,
          };
        }
        if (!undecided) throw error;
        if (now() >= undecided.giveUpAt) throw undecided.error;
        await delay(pauseMs);
      }
    }
  }

  return { save };
}
