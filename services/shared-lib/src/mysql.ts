import { createPool, type QueryResult, type ResultSetHeader, type RowDataPacket } from 'mysql2';
import type { PoolConnection } from 'mysql2/promise';
import type { MysqlConfig } from './env.ts';
import { DatabaseTimeoutError, hasFailedOver, hasLostARace } from './mysql-faults.ts';
import { createTurns, NoTurnError } from './turns.ts';

export { isDatabaseAway, isDuplicate } from './mysql-faults.ts';
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
  /** Runs `work` on one connection of its own, outside a transaction, in `timeoutMs` at most: for named locks, and what takes long. */
  withConnection<T>(work: (statements: Statements) => Promise<T>, timeoutMs?: number): Promise<T>;
  close(): Promise<void>;
};

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
      broken ||= hasFailedOver(error);
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
      if (attempt === TRIES || !hasLostARace(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20 * attempt)); // the two that collided part ways
    }
  }
}
