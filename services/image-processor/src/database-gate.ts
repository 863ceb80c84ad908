import { backoffMs } from '@kube-face/shared-lib/backoff';
import type { Logger } from '@kube-face/shared-lib/logger';

const PROBE = { baseMs: 250, maxMs: 2_000 };

export type DatabaseGate = {
  /** Somebody found the database away. */
  close(): void;
  readonly isClosed: boolean;
  stop(): void;
};

/**
 * While the database is away nothing can be done with a photo, so none is taken: without this, every id of a backlog would be
 * taken and handed back, over and over. Asks the database itself when it is back.
 */
export function createDatabaseGate(options: {
  probe: () => Promise<unknown>;
  onChange: (isClosed: boolean) => void;
  log: Logger;
}): DatabaseGate {
  const { probe, onChange, log } = options;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  function probeAgain(failures: number) {
    if (isStopped) return;
    timer = setTimeout(
      () =>
        void probe().then(
          () => {
            if (isStopped) return;
            isClosed = false;
            log.info('the database answers again');
            onChange(false);
          },
          () => probeAgain(failures + 1),
        ),
      backoffMs(failures, PROBE),
    );
  }

  return {
    close() {
      if (isClosed || isStopped) return;
      isClosed = true;
      log.warn('the database is away: no photos are taken');
      onChange(true);
      probeAgain(1);
    },
    get isClosed() {
      return isClosed;
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
