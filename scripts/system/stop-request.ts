const SAME_MS = 1_000;
const LOOK_EVERY_MS = 500;

type Us = Readonly<{ ppid: number; on(signal: NodeJS.Signals, listener: () => void): unknown; exit(code: number): void }>;

/**
 * The wish that we stop: a signal, or the end of the process that started us (npm was killed, the terminal is gone). Ctrl-C
 * arrives several times, from the terminal and through npm; only one that comes later means `now`, and then we go at once.
 */
export function stopRequest(us: Us) {
  const controller = new AbortController();
  const parent = us.ppid;
  let firstAt = 0;

  function stop() {
    if (!controller.signal.aborted) {
      firstAt = Date.now();
      controller.abort(new StoppedError('stopped'));
    } else if (Date.now() - firstAt > SAME_MS) us.exit(130);
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) us.on(signal, stop);
  const timer = setInterval(() => {
    if (us.ppid !== parent && !controller.signal.aborted) stop();
  }, LOOK_EVERY_MS);
  timer.unref();
  return controller.signal;
}

/** Why work was given up: somebody asked us to stop. */
export class StoppedError extends Error {
  override readonly name = 'StoppedError';
}
