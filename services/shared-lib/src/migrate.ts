import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs } from './backoff.ts';
import type { Logger } from './logger.ts';
import { type Database, isDuplicate, type ResultSetHeader, type RowDataPacket, type Statements } from './mysql.ts';

const SCHEMA = new URL('../../../db/schema.sql', import.meta.url);
const MIGRATIONS = new URL('../../../db/migrations.sql', import.meta.url);

const LOCK_SECONDS = 60;
const MIGRATION_TIMEOUT_MS = 3_600_000; // a large table takes its time

type Guard =
  | { kind: 'always' }
  | { kind: 'column' | 'notnull'; table: string; column: string }
  | { kind: 'index'; table: string; index: string }
  | { kind: 'collation'; table: string; column: string; collation: string };

export type Migration = { guard: Guard; sql: string };

function parseGuard(line: string): Guard {
  if (line === '@always') return { kind: 'always' };
  const [, kind, table, name, collation] =
    /^@unless (column|notnull|index|collation) (\w+)\.(\w+)(?: = (\w+))?$/.exec(line) ?? [];
  if (table === undefined || name === undefined) throw new Error(`migrations.sql: no guard: ${line}`);
  if (kind === 'index') return { kind, table, index: name };
  if (kind === 'collation' && collation !== undefined) return { kind, table, column: name, collation };
  if (kind === 'column' || kind === 'notnull') return { kind, table, column: name };
  throw new Error(`migrations.sql: no guard: ${line}`);
}

/** The statements of migrations.sql, each with the guard above it. Throws where one stands without. */
export function parseMigrations(text: string): Migration[] {
  const migrations: Migration[] = [];
  let guard: Guard | undefined;
  let sql: string[] = [];
  for (const line of text.split('\n').map((whole) => whole.trimEnd())) {
    if (line.startsWith('-- @')) guard = parseGuard(line.slice(3));
    else if (line !== '' && !line.startsWith('--')) sql.push(line);
    if (sql.length === 0 || !line.endsWith(';')) continue;
    if (!guard) throw new Error(`migrations.sql: no guard above: ${sql[0]}`);
    migrations.push({ guard, sql: sql.join('\n').slice(0, -1) });
    guard = undefined;
    sql = [];
  }
  return migrations;
}

const COLUMN = `
  select is_nullable as nullable, collation_name as collation from information_schema.columns
  where table_schema = database() and table_name = ? and column_name = ?`;
const INDEX = `
  select 1 from information_schema.statistics
  where table_schema = database() and table_name = ? and index_name = ? limit 1`;

async function isDone(statements: Statements, guard: Guard): Promise<boolean> {
  if (guard.kind === 'always') return false;
  if (guard.kind === 'index') {
    const rows = await statements.query<RowDataPacket[]>(INDEX, [guard.table, guard.index]);
    return rows.length > 0;
  }
  const [column] = await statements.query<RowDataPacket[]>(COLUMN, [guard.table, guard.column]);
  if (guard.kind === 'collation') return column?.collation === guard.collation;
  return column !== undefined && (guard.kind === 'column' || column.nullable === 'NO');
}

// A path that stands in several rows keeps its name in the first of them. 12 bytes hold '#' and an id.
const DUPLICATES = `
  select later.id, later.path from images later
  join (select path_bytes, min(id) as first from images group by path_bytes having count(*) > 1) twice
    on twice.path_bytes = later.path_bytes and later.id > twice.first`;
const RENAME = 'update images set path = concat(left(path, 243), ?) where id = ?';

async function renameDuplicatePaths(statements: Statements, log: Logger): Promise<void> {
  for (const { id, path } of await statements.query<RowDataPacket[]>(DUPLICATES)) {
    await statements.query(RENAME, [`#${id}`, id]);
    log.warn({ id, path }, 'the path stood in several rows: this one got its id appended');
  }
}

async function run(statements: Statements, migration: Migration, log: Logger): Promise<void> {
  if (await isDone(statements, migration.guard)) return;
  const addsUniquePath = migration.guard.kind === 'index' && migration.guard.index === 'images_path_bytes';
  for (;;) {
    if (addsUniquePath) await renameDuplicatePaths(statements, log);
    try {
      const result = await statements.query<ResultSetHeader>(migration.sql);
      if (migration.guard.kind !== 'always' || result.affectedRows > 0) {
        log.info({ statement: migration.sql.split('\n', 1)[0], rows: result.affectedRows }, 'migrated');
      }
      return;
    } catch (error) {
      if (!addsUniquePath || !isDuplicate(error)) throw error; // an old pod added another one meanwhile: again
    }
  }
}

/**
 * Brings the database to the schema of this version: tables that are missing, then whatever an older one lacks. Safe to repeat,
 * to run from several processes at once (one works, the others wait), and to run beside pods of the version before.
 */
export async function migrate(database: Database, log: Logger): Promise<void> {
  const schema = await readFile(SCHEMA, 'utf8');
  const migrations = parseMigrations(await readFile(MIGRATIONS, 'utf8'));
  await database.withConnection(async (statements) => {
    const [lock] = await statements.query<RowDataPacket[]>("select get_lock(concat('kube-face:', database()), ?) as got", [
      LOCK_SECONDS,
    ]);
    if (lock?.got !== 1) throw new Error('another process is migrating this database');
    try {
      for (const sql of schema.replace(/--.*$/gm, '').split(';')) if (sql.trim() !== '') await statements.query(sql);
      for (const migration of migrations) await run(statements, migration, log);
    } finally {
      await statements.query("do release_lock(concat('kube-face:', database()))").catch(() => {}); // freed with the connection anyway
    }
  }, MIGRATION_TIMEOUT_MS);
}

/** Migrates as soon as the database lets us, for as long as it takes; resolves once done, or when `signal` aborts. */
export async function migrateWhenReachable(database: Database, log: Logger, signal: AbortSignal): Promise<void> {
  for (let failures = 1; !signal.aborted; failures += 1) {
    try {
      return await migrate(database, log);
    } catch (error) {
      const waitMs = backoffMs(failures, { baseMs: 250, maxMs: 5_000 });
      log.warn({ error, waitMs }, 'the database is not ready');
      await delay(waitMs, undefined, { signal }).catch(() => {}); // aborted: the loop ends
    }
  }
}
