import type { Logger } from '@kube-face/shared-lib/logger';
import type { Database } from '@kube-face/shared-lib/mysql';

// Only what still waits: whoever works on a photo, or has, knows that it was queued. The mark is no news of the photo, so the
// time of its last change stays. By the batch's token is a third cheaper than by ids.
// The index is named, because a server may think that few photos wait, and look through all of them.
const SET = 'set queued_at = current_timestamp(3), queued_on = ?, updated_at = updated_at';
const MARK_BATCHES = `update images force index (images_batch) ${SET} where batch in (?) and status = 0 and queued_at is null`;
const MARK_IDS = `update images force index (primary) ${SET} where id in (?) and status = 0 and queued_at is null`;

const PAUSE_MS = 500;
const MAX_ROWS = 2_500; // of one statement, where batches are no larger
const MAX_WAITING = 200_000;

/** Photos that nsqd has acknowledged: all of one INSERT, or some. */
export type Queued = { batch: Buffer; count: number } | { ids: readonly number[] };

export type QueuedStamps = {
  /** Writes down, soon, that nsqd has acknowledged these photos. */
  add(queued: Queued): void;
  /** Writes what is left. */
  close(): Promise<void>;
};

export type StampDependencies = {
  database: Pick<Database, 'query'>;
  /** Name of the nsqd that acknowledges, as in `images.queued_on`. */
  nsqd: string | undefined;
  log: Logger;
};

const countOf = (queued: Queued): number => ('batch' in queued ? queued.count : queued.ids.length);

/**
 * Marks photos as queued, many in one statement and after they were answered: a mark that is lost in a crash, or because the
 * database was away for long, costs one needless message and no photo.
 */
export function createQueuedStamps({ database, nsqd, log }: StampDependencies): QueuedStamps {
  let waiting: Queued[] = [];
  let rows = 0;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  async function mark(some: readonly Queued[]): Promise<void> {
    const batches = some.flatMap((queued) => ('batch' in queued ? [queued.batch] : []));
    const ids = some.flatMap((queued) => ('ids' in queued ? queued.ids : []));
    if (batches.length > 0) await database.query(MARK_BATCHES, [nsqd ?? null, batches]);
    if (ids.length > 0) await database.query(MARK_IDS, [nsqd ?? null, ids]);
  }

  /** The oldest, as many as one statement may mark. */
  function next(): Queued[] {
    let count = 0;
    const end = waiting.findIndex((queued) => {
      count += countOf(queued);
      return count > MAX_ROWS;
    });
    return waiting.slice(0, end < 0 ? waiting.length : Math.max(end, 1));
  }

  function drop(some: readonly Queued[]): void {
    waiting = waiting.slice(some.length);
    rows -= some.reduce((sum, queued) => sum + countOf(queued), 0);
  }

  async function write(): Promise<void> {
    while (waiting.length > 0) {
      const some = next();
      try {
        await mark(some);
        drop(some);
      } catch (error) {
        log.warn({ error, images: rows }, 'could not mark photos as queued');
        while (rows > MAX_WAITING) drop(next());
        return;
      }
    }
  }

  function plan(): void {
    if (waiting.length > 0) timer ??= setTimeout(() => void flush(), PAUSE_MS);
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(write).then(plan);
    return writing;
  }

  return {
    add(queued) {
      waiting.push(queued);
      rows += countOf(queued);
      plan();
    },
    async close() {
      await flush();
      clearTimeout(timer);
    },
  };
}
