import type { Logger } from '@kube-face/shared-lib/logger';

export type Background = {
  /** Runs the work soon instead of at its next time. */
  poke(): void;
  /** Lets what runs come to its end and starts nothing more. */
  close(): Promise<void>;
};

export type BackgroundWork = {
  name: string;
  everyMs: number;
  /** Answers true where there may be more to do at once. */
  work: (signal: AbortSignal) => Promise<boolean>;
  log: Logger;
};

/** Does a piece of work again and again, never twice at once; a fault is logged and the work tried at its next time. */
export function startBackground({ name, everyMs, work, log }: BackgroundWork): Background {
  const closing = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let isPoked = false;

  async function run(): Promise<void> {
    try {
      while (!closing.signal.aborted && (await work(closing.signal)));
    } catch (error) {
      log.warn({ name, reason: error instanceof Error ? error.message : error }, 'to be tried again');
    }
    running = undefined;
    plan(isPoked ? 0 : everyMs);
    isPoked = false;
  }

  function plan(afterMs: number): void {
    clearTimeout(timer);
    if (closing.signal.aborted) return;
    timer = setTimeout(() => {
      running = run();
    }, afterMs).unref();
  }

  plan(everyMs);
  return {
    poke() {
      if (running !== undefined) isPoked = true;
      else plan(0);
    },
    async close() {
      closing.abort();
      clearTimeout(timer);
      await running;
    },
  };
}
