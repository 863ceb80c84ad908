import { isDatabaseAway } from '@kube-face/shared-lib/mysql';
import { UndecidedError } from './image-writer.ts';
import { LockTimeoutError } from './person-store.ts';

export type ErrorDetail = { field?: string; message: string };

/** A whole request that is refused: what the client is told, and with which status. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  readonly details: readonly ErrorDetail[];
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: number,
    code: string,
    message: string,
    options: ErrorOptions & { details?: readonly ErrorDetail[]; retryAfterSeconds?: number } = {},
  ) {
    super(message, options);
    this.status = status;
    this.code = code;
    this.details = options.details ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

const RETRY_AFTER_SECONDS = 2;

// The folder is full, not mounted, or not ours to write.
const STORAGE = new Set([
  'ENOSPC',
  'EDQUOT',
  'EROFS',
  'EACCES',
  'EPERM',
  'EIO',
  'ENOENT',
  'ENOTDIR',
  'ESTALE',
  'EMFILE',
  'ENFILE',
]);

/** What happened and why, in one sentence; the details have all of it. */
export function withReason(what: string, [first, ...more]: readonly ErrorDetail[]): string {
  const rest = more.length > 0 ? `, and ${more.length} more` : '';
  return `${what}: ${first?.message ?? 'there was none'}${rest}`;
}

/** 400: the request is not what is allowed; `details` name the fields. */
export function invalid(message: string, details: readonly ErrorDetail[] = []): ApiError {
  return new ApiError(400, 'invalid_request', message, { details });
}

/** 404. `what` begins the sentence: "image 4". */
export function notFound(what: string): ApiError {
  return new ApiError(404, 'not_found', `${what} does not exist`);
}

/** 503: something that is needed is away; the client may ask again. */
export function away(code: string, message: string, cause?: unknown): ApiError {
  return new ApiError(503, code, message, { cause, retryAfterSeconds: RETRY_AFTER_SECONDS });
}

/** What a fault means to the client: itself where it is an ApiError, 503 where the database is away, 500 otherwise. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof UndecidedError) {
    return away(
      'database_away',
      'the database was lost while it saved; post again: what was saved is answered with its id',
      error,
    );
  }
  if (isDatabaseAway(error)) return away('database_away', 'the database is not reachable; nothing was saved', error);
  if (error instanceof LockTimeoutError) return away('name_busy', 'other requests with this name take long', error);
  if (error instanceof Error && 'code' in error && STORAGE.has(String(error.code))) {
    return away('storage_away', 'photos cannot be stored now; nothing was saved', error);
  }
  return new ApiError(500, 'internal', 'something went wrong here; the log says what', { cause: error });
}
