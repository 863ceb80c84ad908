import type { Logger } from '@kube-face/shared-lib/logger';
import type { Database } from '@kube-face/shared-lib/mysql';

const MARK_QUEUED = 'update images set queued_at = now(3) where id in (?) and queued_at is null';

const PAUSE_MS = 100;
const MAX_IDS = 5_000; // of one statement
const MAX_WAITING = 200_000;

export type QueuedStamps = {
  /** Writes down, soon, that nsqd has acknowledged these ids. */
  add(ids: readonly number[]): void;
  /** Writes what is left. */
  close(): Promise<void>;
};

/**
 * Marks photos as queued, many in one statement and after they were answered: a mark that is lost in a crash, or because the
 * database was away for long, costs one needless message and no photo.
 */
export function createQueuedStamps({ database, log }: { database: Pick<Database, 'query'>; log: Logger }): QueuedStamps {
  let waiting: number[] = [];
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  async function write(): Promise<void> {
    while (waiting.length > 0) {
      const ids = waiting.slice(0, MAX_IDS);
      try {
        await database.query(MARK_QUEUED, [ids]);
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
