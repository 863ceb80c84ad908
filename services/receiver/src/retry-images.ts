import { ImageStatus, type Outcome, type StatusWord, statusWord } from '@kube-face/shared-lib/image-status';
import type { Logger } from '@kube-face/shared-lib/logger';
import type { Database, RowDataPacket } from '@kube-face/shared-lib/mysql';

/** A photo put back; one that cannot be has an error and, where it exists, the status that it stays in. */
export type RetriedImage = {
  id: number;
  status?: StatusWord;
  queued?: boolean;
  error?: { code: 'not_found' | 'not_finished'; message: string };
};

export type RetryDependencies = {
  database: Pick<Database, 'query' | 'transaction'>;
  publish: (ids: readonly number[]) => Promise<void>;
  onQueued: (queued: { ids: readonly number[] }) => void;
  log: Logger;
};

const BATCH = 1_000;

const LOCK = 'select id, status from images where id in (?) order by id for update';
// The outcome of a failed row; the original's processor wrote none, which reads as internal.
const FAILED = `select id from images where status = ${ImageStatus.Failed} and id > ? order by id limit ${BATCH}`;
const FAILED_WITH = `select id from images where outcome = ? and status = ${ImageStatus.Failed} and id > ? order by id limit ${BATCH}`;
const FAILED_WITHOUT = `
  select id from images where outcome is null and status = ${ImageStatus.Failed} and id > ? order by id limit ${BATCH}`;
const PUT_BACK = `
  update images set status = ${ImageStatus.Pending}, outcome = null, detail = null, attempts = 0, retry_at = null, lease_owner = null,
    lease_until = null, finished_at = null, queued_at = null, queued_on = null, redeem_token = null, redeemed_at = null,
    person = -1, distance = null
  where id in (?)`;

/** Puts photos back into the queue, as if they had just been posted. */
export function createRetryImages({ database, publish, onQueued, log }: RetryDependencies) {
  /** The rows of these ids as they were, of which those that `mayRetry` are pending now. */
  function putBack(ids: readonly number[], mayRetry: (status: number) => boolean): Promise<Map<number, number>> {
    return database.transaction(async (statements) => {
      const rows = await statements.query<RowDataPacket[]>(LOCK, [ids]);
      const back = rows.filter(({ status }) => mayRetry(status)).map(({ id }) => id);
      if (back.length > 0) await statements.query(PUT_BACK, [back]);
      return new Map(rows.map(({ id, status }) => [id, status]));
    });
  }

  async function queue(ids: readonly number[]): Promise<boolean> {
    try {
      await publish(ids);
    } catch (error) {
      log.warn({ error, images: ids.length }, 'put back but not queued; the redeemer queues them');
      return false;
    }
    onQueued({ ids });
    return true;
  }

  const isFinished = (status: number) => status === ImageStatus.Processed || status === ImageStatus.Failed;
  const isFailed = (status: number) => status === ImageStatus.Failed;

  function* batches(ids: readonly number[]): Generator<readonly number[]> {
    for (let at = 0; at < ids.length; at += BATCH) yield ids.slice(at, at + BATCH);
  }

  async function findFailed(outcome: Outcome | undefined, after: number): Promise<number[]> {
    if (outcome === undefined) return idsOf(await database.query<RowDataPacket[]>(FAILED, [after]));
    const found = idsOf(await database.query<RowDataPacket[]>(FAILED_WITH, [outcome, after]));
    if (outcome === 'internal') found.push(...idsOf(await database.query<RowDataPacket[]>(FAILED_WITHOUT, [after])));
    return found.toSorted((a, b) => a - b).slice(0, BATCH);
  }

  return {
    /** Photos by id, processed or failed; the outcomes are in the request's order. */
    async byIds(ids: readonly number[]): Promise<RetriedImage[]> {
      const outcomes = new Map<number, RetriedImage>();
      for (const batch of batches([...new Set(ids)])) {
        const before = await putBack(batch, isFinished);
        const back = batch.filter((id) => isFinished(before.get(id) ?? -1));
        const queued = back.length > 0 && (await queue(back));
        for (const id of batch) outcomes.set(id, outcomeOf(id, before.get(id), queued));
      }
      return ids.map((id) => outcomes.get(id) as RetriedImage);
    },

    /** Every failed photo, or those that failed for this reason, in batches; counts them. */
    async failed(outcome: Outcome | undefined): Promise<{ retried: number; queued: number }> {
      const counts = { retried: 0, queued: 0 };
      for (let ids = await findFailed(outcome, 0); ids.length > 0; ids = await findFailed(outcome, ids.at(-1) ?? 0)) {
        const before = await putBack(ids, isFailed);
        const back = ids.filter((id) => isFailed(before.get(id) ?? -1));
        counts.retried += back.length;
        if (back.length > 0 && (await queue(back))) counts.queued += back.length;
      }
      return counts;
    },
  };

  function outcomeOf(id: number, status: number | undefined, queued: boolean): RetriedImage {
    if (status === undefined) return { id, error: { code: 'not_found', message: `image ${id} does not exist` } };
    if (isFinished(status)) return { id, status: 'pending', queued };
    const word = statusWord(status);
    return { id, status: word, error: { code: 'not_finished', message: `image ${id} is ${word} already` } };
  }
}

export type RetryImages = ReturnType<typeof createRetryImages>;

function idsOf(rows: readonly RowDataPacket[]): number[] {
  return rows.map(({ id }) => id);
}
