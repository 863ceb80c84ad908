import { createPool, type QueryResult, type ResultSetHeader, type RowDataPacket } from 'mysql2';
import type { PoolConnection } from 'mysql2/promise';
import type { MysqlConfig } from './env.ts';
import { createTurns, NoTurnError } from './turns.ts';

export type { QueryResult, ResultSetHeader, RowDataPacket };

type Value = string | number | bigint | boolean | Date | Buffer | null;
/** `query` also takes lists: `in (?)` and `values ?`. */
type Values = readonly (Value | readonly (Value | readonly Value[])[])[];

/** What runs statements: the database itself, or a transaction of it. */
export type Statements = {
  /** A prepared statement; for what runs often and always looks the same. */
  execute<T extends QueryResult>(sql: string, values?: readonly Value[]): Promise<T>;
  /** Placeholders are filled in here, so lists may be of any length. */
  query<T extends QueryResult>(sql: string, values?: Values): Promise<T>;
};

/** Of a pool at this moment. */
export type PoolUse = { readonly busy: number; readonly waiting: number; readonly limit: number };

export type Database = Statements & {
  readonly use: PoolUse;
  /** Commits what `work` did, or nothing of it. Runs `work` again after a deadlock, so it must not do anything else. */
  transaction<T>(work: (statements: Statements) => Promise<T>): Promise<T>;
  /** Runs `work` on one connection of its own, outside a transaction: for named locks. */
  withConnection<T>(work: (statements: Statements) => Promise<T>, timeoutMs?: number): Promise<T>;
  close(): Promise<void>;
};

/**
 * A statement got no answer in time; its connection is gone and whether it ran is unknown. Or it got no connection, and did not
 * run.
 */
export class DatabaseTimeoutError extends Error {
  override readonly name = 'DatabaseTimeoutError';
  readonly code = 'STATEMENT_TIMEOUT';
}

// The server chose us as a deadlock's victim, or a lock did not come free: nothing of the transaction was done.
const LOST_A_RACE = new Set(['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT', 'ER_CHECKREAD', 'ER_XA_RBDEADLOCK']);

// The server that we hold is no longer the one to write to; another connection may find the new one.
const FAILED_OVER = new Set(['ER_OPTION_PREVENTS_STATEMENT', 'ER_READ_ONLY_MODE', 'ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION']);

const AWAY = new Set([
  ...LOST_A_RACE,
  ...FAILED_OVER,
  'STATEMENT_TIMEOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'HANDSHAKE_NO_SSL_SUPPORT',
  'HANDSHAKE_SSL_ERROR', // a certificate that ran out: renewing it needs no restart here
  'ER_CON_COUNT_ERROR',
  'ER_USER_LIMIT_REACHED',
  'ER_TOO_MANY_USER_CONNECTIONS',
  'ER_SERVER_SHUTDOWN',
  'ER_CONNECTION_KILLED',
  'ER_QUERY_INTERRUPTED',
  'ER_ACCESS_DENIED_ERROR',
  'ER_SECURE_TRANSPORT_REQUIRED', // MYSQL_CA is missing
  'ER_DBACCESS_DENIED_ERROR',
  // A server that is up before its init folder has run: the schema comes.
  'ER_BAD_DB_ERROR',
  'ER_NO_SUCH_TABLE',
  'ER_BAD_FIELD_ERROR',
  'ER_KEY_DOES_NOT_EXITS',
  'ER_DISK_FULL',
  'ER_RECORD_FILE_FULL',
]);

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Whether the fault is the database's state, which may pass, and not the statement's. */
export function isDatabaseAway(error: unknown): boolean {
  if (AWAY.has(codeOf(error))) return true;
  // What mysql2 throws on a connection that ended meanwhile has no code.
  return error instanceof Error && /closed state|Connection lost|Pool is closed/i.test(error.message);
}

/** Whether a unique key refused the row. */
export function isDuplicate(error: unknown): boolean {
  return codeOf(error) === 'ER_DUP_ENTRY' || codeOf(error) === 'ER_DUP_ENTRY_WITH_KEY_NAME';
}

// Run first on every connection.
const SESSION = [
  "set time_zone = '+00:00'", // timestamps in UTC, as the driver expects them
  'set session transaction isolation level read committed', // no gap locks: writers of neighbouring rows do not wait
];

const TRIES = 5;

// For a new connection, and for one of those that others use: a database that is slower than that is away.
const CONNECT_MS = 3_000;

export type DatabaseOptions = { connections?: number; statementTimeoutMs?: number };

/**
 * The one pool of a process. It connects when first asked, so it can be made while the server is away, and a connection that
 * broke is replaced: riding out a restart or a failover needs nothing from the caller but to ask again.
 */
export function createDatabase(config: MysqlConfig, options: DatabaseOptions = {}): Database {
  const { connections = 10, statementTimeoutMs = 10_000 } = options;
  const pool = createPool({
    host: config.host,
    port: config.port,
    database: config.database,
    user: config.user,
    password: config.password,
    connectionLimit: connections,
    ...(config.ca !== undefined && { ssl: { ca: config.ca, verifyIdentity: true } }),
    connectTimeout: CONNECT_MS,
    enableKeepAlive: true,
    charset: 'UTF8MB4_BIN',
    timezone: 'Z',
    supportBigNumbers: true,
    decimalNumbers: true,
  });
  pool.on('connection', (connection) => {
    // A connection that breaks here breaks for the statement behind, too, whose caller learns of it.
    for (const sql of SESSION) connection.query(sql, () => {});
  });
  const promisePool = pool.promise();
  let asked = 0;
  let busy = 0;
  // The pool's own line has no end: while a server is silent, requests would wait in it long after their clients have gone.
  const inTurn = createTurns({ atOnce: connections, maxWaitMs: CONNECT_MS });

  async function withConnection<T>(work: (statements: Statements) => Promise<T>, timeoutMs = statementTimeoutMs): Promise<T> {
    asked += 1;
    try {
      return await inTurn(async () => runOn(await promisePool.getConnection(), work, timeoutMs));
    } catch (error) {
      if (error instanceof NoTurnError) throw new DatabaseTimeoutError(`no connection in ${CONNECT_MS} ms`, { cause: error });
      throw error;
    } finally {
      asked -= 1;
    }
  }

  async function runOn<T>(
    connection: PoolConnection,
    work: (statements: Statements) => Promise<T>,
    timeoutMs: number,
  ): Promise<T> {
    busy += 1;
    let timer: NodeJS.Timeout | undefined;
    let broken = false;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        broken = true;
        reject(new DatabaseTimeoutError(`no answer in ${timeoutMs} ms`));
      }, timeoutMs);
    });
    try {
      return await Promise.race([work(statementsOf(connection)), late]);
    } catch (error) {
      broken ||= FAILED_OVER.has(codeOf(error));
      throw error;
    } finally {
      busy -= 1;
      clearTimeout(timer);
      if (broken) connection.destroy();
      else connection.release();
    }
  }

  return {
    use: {
      get busy() {
        return busy;
      },
      get waiting() {
        return asked - busy;
      },
      limit: connections,
    },
    execute: (sql, values) => retryLostRaces(() => withConnection((statements) => statements.execute(sql, values))),
    query: (sql, values) => retryLostRaces(() => withConnection((statements) => statements.query(sql, values))),
    transaction: (work) =>
      retryLostRaces(() => withConnection((statements) => inTransaction(statements, () => work(statements)))),
    withConnection,
    close: () => promisePool.end(),
  };
}

/**
 * Commits what `work` did on this connection, or nothing of it. `onCommit` is told when the commit goes out: an error from then on
 * leaves open whether it was done, one before means that nothing was.
 */
export async function inTransaction<T>(statements: Statements, work: () => Promise<T>, onCommit = () => {}): Promise<T> {
  await statements.query('start transaction');
  try {
    const result = await work();
    onCommit();
    await statements.query('commit');
    return result;
  } catch (error) {
    await statements.query('rollback').catch(() => {}); // a broken connection has rolled back already
    throw error;
  }
}

function statementsOf(connection: PoolConnection): Statements {
  return {
    async execute<T extends QueryResult>(sql: string, values: readonly Value[] = []) {
      const [result] = await connection.execute<T>(sql, values as Value[]);
      return result;
    },
    async query<T extends QueryResult>(sql: string, values: Values = []) {
      const [result] = await connection.query<T>(sql, values as Value[]);
      return result;
    },
  };
}

async function retryLostRaces<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt === TRIES || !LOST_A_RACE.has(codeOf(error))) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20 * attempt)); // the two that collided part ways
    }
  }
}
