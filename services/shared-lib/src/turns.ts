/** No turn came: too many were waiting already (`full`), or not in time (`late`). The work was not begun. */
export class NoTurnError extends Error {
  override readonly name = 'NoTurnError';
  readonly code: 'full' | 'late';

  constructor(code: NoTurnError['code']) {
    super(`no turn: ${code}`);
    this.code = code;
  }
}

export type Turns = <T>(work: () => Promise<T>) => Promise<T>;

export type TurnsOptions = { atOnce: number; maxWaiting?: number; maxWaitMs?: number };

/** Runs at most `atOnce` pieces of work side by side; the others wait for their turn, in order. Throws NoTurnError. */
export function createTurns({ atOnce, maxWaiting = Number.POSITIVE_INFINITY, maxWaitMs }: TurnsOptions): Turns {
  const waiting = new Set<() => void>(); // in order of arrival
  let running = 0;

  async function turn(): Promise<void> {
    if (waiting.size >= maxWaiting) throw new NoTurnError('full');
    await new Promise<void>((resolve, reject) => {
      const start = () => {
        clearTimeout(timer);
        waiting.delete(start);
        resolve();
      };
      const giveUp = () => {
        waiting.delete(start);
        reject(new NoTurnError('late'));
      };
      const timer = maxWaitMs === undefined ? undefined : setTimeout(giveUp, maxWaitMs);
      waiting.add(start);
    });
  }

  return async (work) => {
    if (running < atOnce) running += 1;
    else await turn();
    try {
      return await work();
    } finally {
      const [next] = waiting;
      if (next) next();
      else running -= 1;
    }
  };
}
