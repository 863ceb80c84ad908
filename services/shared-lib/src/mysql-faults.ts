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

/** Whether trying again may do: nothing of the transaction was done. */
export function hasLostARace(error: unknown): boolean {
  return LOST_A_RACE.has(codeOf(error));
}

/** Whether the connection is to a server that is no longer the one to write to. */
export function hasFailedOver(error: unknown): boolean {
  return FAILED_OVER.has(codeOf(error));
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
