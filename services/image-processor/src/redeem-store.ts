import { ImageStatus } from '@kube-face/shared-lib/image-status';
import type { Database, ResultSetHeader, RowDataPacket } from '@kube-face/shared-lib/mysql';
import { UNLEASED_MINUTES } from './image-store.ts';

/** Why a photo goes back to the queue. */
export type Reason =
  /** Whoever worked on it did not renew its lease. */
  | { kind: 'lease_ended' }
  /** It failed for a cause that may pass, and has waited long enough. */
  | { kind: 'back_off_ended' }
  /** nsqd has never acknowledged it, or the redeemer that was about to publish it died. */
  | { kind: 'never_queued' }
  /** It was queued before `before`, and no nsqd holds a message any more. */
  | { kind: 'queue_empty'; before: Date }
  /** It was queued before `before`, on one of these nsqds, which are gone. */
  | { kind: 'nsqd_gone'; before: Date; nsqds: readonly string[] };

export type Redeemable = { id: number; path: string };

export type RedeemStore = {
  /** The database's clock. */
  now(): Promise<Date>;
  /** nsqds on which photos wait that have been pending for `redeemAfterMs`. */
  nsqdsWaitedFor(before: Date): Promise<string[]>;
  /** The next photos after `afterId` that this reason holds for. */
  find(reason: Reason, afterId: number, limit: number): Promise<Redeemable[]>;
  /** Makes those of them pending and ours for which the reason still holds, and answers their ids. Two can't win one. */
  stamp(reason: Reason, ids: readonly number[], token: Buffer): Promise<number[]>;
  /** nsqd has acknowledged the photos of this stamp. */
  markQueued(token: Buffer, nsqd: string | undefined): Promise<void>;
  /** It has not: the next redeemer may have them at once. */
  release(token: Buffer): Promise<void>;
};

// Rows that a receiver of ours saved carry the token of their batch. The original's receiver never says that it queued a
// photo, so of its rows only the empty queue tells that they were lost.
const IS_ACKNOWLEDGED = '(queued_at is not null or (batch is null and redeem_token is null))';

// So many of the longest waiting rows are looked at for the nsqd they wait on.
const MAX_WAITING = 200_000;

type Condition = { sql: string; values: (number | Date | readonly string[])[] };

function conditionOf(reason: Reason, { settleMs, staleMs }: { settleMs: number; staleMs: number }): Condition {
  switch (reason.kind) {
    case 'lease_ended':
      return {
        sql: `status = ${ImageStatus.Processing} and (lease_until < current_timestamp(3)
          or (lease_until is null and updated_at < current_timestamp(3) - interval ${UNLEASED_MINUTES} minute))`,
        values: [],
      };
    case 'back_off_ended':
      return { sql: `status = ${ImageStatus.Failed} and retry_at <= current_timestamp(3)`, values: [] };
    case 'never_queued':
      return {
        sql: `status = ${ImageStatus.Pending} and queued_at is null and not ${IS_ACKNOWLEDGED}
          and updated_at <= current_timestamp(3) - interval ? microsecond
          and (redeem_token is null or redeemed_at is null or redeemed_at <= current_timestamp(3) - interval ? microsecond)`,
        values: [settleMs * 1_000, staleMs * 1_000],
      };
    case 'queue_empty':
      return { sql: `status = ${ImageStatus.Pending} and ${IS_ACKNOWLEDGED} and updated_at <= ?`, values: [reason.before] };
    case 'nsqd_gone':
      return {
        sql: `status = ${ImageStatus.Pending} and queued_at is not null and queued_on in (?) and updated_at <= ?`,
        values: [reason.nsqds, reason.before],
      };
  }
}

const STAMP = `
  update images set status = ${ImageStatus.Pending}, outcome = null, detail = null, retry_at = null, lease_owner = null,
    lease_until = null, finished_at = null, queued_at = null, queued_on = null, redeem_token = ?, redeemed_at = current_timestamp(3)
  where id in (?) and `;
const STAMPED = 'select id from images where redeem_token = ? order by id';
const MARK_QUEUED = `
  update images set queued_at = current_timestamp(3), queued_on = ?, redeem_token = null where redeem_token = ?`;
const RELEASE = 'update images set redeemed_at = null where redeem_token = ?';
const WAITED_FOR = `
  select distinct queued_on from (
    select queued_on from images
    where status = ${ImageStatus.Pending} and queued_at <= ? order by queued_at limit ${MAX_WAITING}
  ) as waiting where queued_on is not null`;

/**
 * `settleMs`: how long a receiver may take from saving a photo to writing down that nsqd has it. `staleMs`: how long a redeemer
 * may take from its stamp to writing down the same; after that it has died.
 */
export function createRedeemStore(database: Database, ages: { settleMs: number; staleMs: number }): RedeemStore {
  return {
    async now() {
      const [row] = await database.query<RowDataPacket[]>('select current_timestamp(3) as now');
      return row?.now;
    },
    async nsqdsWaitedFor(before) {
      const rows = await database.query<RowDataPacket[]>(WAITED_FOR, [before]);
      return rows.map(({ queued_on }) => queued_on);
    },
    async find(reason, afterId, limit) {
      const { sql, values } = conditionOf(reason, ages);
      const find = `select id, path from images where ${sql} and id > ? order by id limit ?`;
      const rows = await database.query<RowDataPacket[]>(find, [...values, afterId, limit]);
      return rows.map(({ id, path }) => ({ id, path }));
    },
    async stamp(reason, ids, token) {
      const { sql, values } = conditionOf(reason, ages);
      const { affectedRows } = await database.query<ResultSetHeader>(STAMP + sql, [token, ids, ...values]);
      if (affectedRows === 0) return [];
      const rows = await database.query<RowDataPacket[]>(STAMPED, [token]);
      return rows.map(({ id }) => id);
    },
    async markQueued(token, nsqd) {
      await database.query(MARK_QUEUED, [nsqd ?? null, token]);
    },
    async release(token) {
      await database.query(RELEASE, [token]);
    },
  };
}
