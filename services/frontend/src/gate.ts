/** More are waiting than a gate lets wait. */
export class BusyError extends Error {
  override readonly name = 'BusyError';
}

/** Lets `running` pieces of work run at a time and `waiting` more wait; throws a BusyError to whoever comes then. */
export function createGate({ running, waiting }: { running: number; waiting: number }) {
  const queue: (() => void)[] = [];
  let free = running;

  return async function pass<T>(work: () => Promise<T>): Promise<T> {
    if (free > 0) free -= 1;
    else if (queue.length >= waiting) throw new BusyError('too many are waiting');
    else await new Promise<void>((resolve) => queue.push(resolve));
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next) next();
      else free += 1;
    }
  };
}
