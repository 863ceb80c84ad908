/** Every slot is taken and as many photos wait as may: ask again later. */
export class BusyError extends Error {
  override readonly name = 'BusyError';
}

export type Admission = {
  /** Runs `work` once a slot is free, first come first served. An abort takes a waiting one out and rejects with its reason. */
  run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  readonly waiting: number;
};

/**
 * Lets `slots` photos be in memory and in the engine's hands at a time; `queueLimit` more wait as paths, which weigh nothing,
 * and the next one is refused.
 */
export function createAdmission({ slots, queueLimit }: { slots: number; queueLimit: number }): Admission {
  let free = slots;
  const queue = new Set<() => void>();

  function waitForSlot(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = () => {
        queue.delete(enter);
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        queue.delete(enter);
        reject(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      queue.add(enter);
    });
  }

  return {
    async run(signal, work) {
      signal.throwIfAborted();
      if (free > 0) free--;
      else if (queue.size < queueLimit) await waitForSlot(signal);
      else throw new BusyError('every worker is busy and the queue is full');
      try {
        return await work();
      } finally {
        // A slot is handed on, not freed and taken again: nobody overtakes the one who waits.
        const [next] = queue;
        if (next) next();
        else free++;
      }
    },
    get waiting() {
      return queue.size;
    },
  };
}
