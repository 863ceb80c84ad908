import type { Logger } from '@kube-face/shared-lib/logger';
import type { Database } from '@kube-face/shared-lib/mysql';

const MARK_QUEUED = 'update images set queued_at = current_timestamp(3), queued_on = ? where id in (?) and queued_at is null';

const PAUSE_MS = 100;
const MAX_IDS = 5_000; // of one statement
const MAX_WAITING = 200_000;

export type QueuedStamps = {
  /** Writes down, soon, that nsqd has acknowledged these ids. */
  add(ids: readonly number[]): void;
  /** Writes what is left. */
  close(): Promise<void>;
};

export type StampDependencies = {
  database: Pick<Database, 'query'>;
  /** Name of the nsqd that acknowledges, as in `images.queued_on`. */
  nsqd: string | undefined;
  log: Logger;
};

/**
 * Marks photos as queued, many in one statement and after they were answered: a mark that is lost in a crash, or because the
 * database was away for long, costs one needless message and no photo.
 */
export function createQueuedStamps({ database, nsqd, log }: StampDependencies): QueuedStamps {
  let waiting: number[] = [];
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  async function write(): Promise<void> {
    while (waiting.length > 0) {
      const ids = waiting.slice(0, MAX_IDS);
      try {
        await database.query(MARK_QUEUED, [nsqd ?? null, ids]);
        waiting = waiting.slice(ids.length);
      } catch (error) {
        log.warn({ error, images: waiting.length }, 'could not mark photos as queued');
        waiting = waiting.slice(-MAX_WAITING);
        return;
      }
    }
  }

  function flush(): Promise<void> {
    timer = undefined;
    writing = writing.then(write).then(plan);
    return writing;
  }

  function plan(): void {
    if (waiting.length > 0) timer ??= setTimeout(() => void flush(), PAUSE_MS);
  }

  return {
    add(ids) {
      for (const id of ids) waiting.push(id);
      plan();
    },
    async close() {
      clearTimeout(timer);
      await flush();
      clearTimeout(timer);
    },
  };
}
