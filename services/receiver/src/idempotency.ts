import { createHash } from 'node:crypto';
import type { Logger } from '@kube-face/shared-lib/logger';
import { type Database, isDuplicate, type ResultSetHeader, type RowDataPacket } from '@kube-face/shared-lib/mysql';
import { ApiError, invalid } from './api-error.ts';
import type { Reply } from './route.ts';

export type Idempotency = {
  /**
   * Does the work of a request with a key once: who sends the same again gets the first answer. `token` stays the same for
   * the key, so that work that was cut short finds what it had saved. What throws is not remembered.
   */
  once(key: string, content: readonly (string | Buffer)[], work: (token: Buffer) => Promise<Reply>): Promise<Reply>;
  /** Forgets old keys, some at a time; true where there may be more. */
  forget(): Promise<boolean>;
  /** Forgets the answers that name a person, not their keys: work that was done once is still not done again. */
  redact(person: number): Promise<void>;
};

const BEGIN = 'insert into idempotency_keys (key_sha256, request_sha256) values (?, ?)';
const FIND = 'select request_sha256, status, body from idempotency_keys where key_sha256 = ?';
// The first request has not come to an answer in this time: its process is gone.
const TAKE_OVER = `
  update idempotency_keys set created_at = current_timestamp(3)
  where key_sha256 = ? and status is null and created_at < current_timestamp(3) - interval 60 second`;
const REMEMBER = 'update idempotency_keys set status = ?, body = ? where key_sha256 = ?';
const DROP = 'delete from idempotency_keys where key_sha256 = ? and status is null';
const FORGET_ROWS = 1_000;
const FORGET = `
  delete from idempotency_keys where created_at < current_timestamp(3) - interval 1 day order by created_at limit ${FORGET_ROWS}`;

const ANSWERS = `
  select key_sha256, body like ? as mentions from idempotency_keys where key_sha256 > ? order by key_sha256 limit 200`;
const REDACT = 'update idempotency_keys set status = ?, body = ? where key_sha256 in (?)';
const REDACTED = {
  status: 410,
  body: JSON.stringify({
    error: { code: 'erased', message: 'somebody whom the first answer named was erased since', details: [] },
  }),
};

const hash = (parts: readonly (string | Buffer)[]): Buffer => {
  const sum = createHash('sha256');
  for (const part of parts) sum.update(`${Buffer.byteLength(part)}:`).update(part); // with lengths: no two lists run together
  return sum.digest();
};

export function createIdempotency({ database, log }: { database: Pick<Database, 'query'>; log: Logger }): Idempotency {
  /** The remembered answer, or undefined where this request is the one to do the work. */
  async function begin(key: Buffer, request: Buffer): Promise<Reply | undefined> {
    try {
      await database.query(BEGIN, [key, request]);
      return undefined;
    } catch (error) {
      if (!isDuplicate(error)) throw error;
    }
    const [row] = await database.query<RowDataPacket[]>(FIND, [key]);
    if (row && !row.request_sha256.equals(request)) {
      throw new ApiError(409, 'idempotency_key_reused', 'this Idempotency-Key was used for another request');
    }
    if (typeof row?.status === 'number') {
      return { status: row.status, body: JSON.parse(row.body), headers: { 'idempotency-replayed': 'true' } };
    }
    const { affectedRows } = await database.query<ResultSetHeader>(TAKE_OVER, [key]);
    if (affectedRows === 1) return undefined;
    const message = 'a request with this Idempotency-Key is under way';
    throw new ApiError(409, 'request_under_way', message, { retryAfterSeconds: 1 });
  }

  return {
    async once(keyText, content, work) {
      if (!/^[!-~]{1,255}$/.test(keyText)) throw invalid('Idempotency-Key must be 1 to 255 visible characters');
      const key = hash([keyText]);
      const request = hash(content);
      const remembered = await begin(key, request);
      if (remembered) return remembered;
      let reply: Reply;
      try {
        reply = await work(hash([key, request]).subarray(0, 16));
      } catch (error) {
        await database.query(DROP, [key]).catch(() => {}); // else it is taken over after a minute
        throw error;
      }
      await database
        .query(REMEMBER, [reply.status, JSON.stringify(reply.body), key])
        .catch((error) => log.warn({ error }, 'could not remember an answer'));
      return reply;
    },

    async forget() {
      const { affectedRows } = await database.query<ResultSetHeader>(FORGET);
      return affectedRows === FORGET_ROWS;
    },

    async redact(person) {
      for (let last: Buffer | undefined = Buffer.alloc(0); last; ) {
        const rows: RowDataPacket[] = await database.query<RowDataPacket[]>(ANSWERS, [`%{"id":${person},"name":%`, last]);
        const mentions = rows.filter((row) => row.mentions === 1).map((row) => row.key_sha256);
        if (mentions.length > 0) await database.query(REDACT, [REDACTED.status, REDACTED.body, mentions]);
        last = rows.at(-1)?.key_sha256;
      }
    },
  };
}
