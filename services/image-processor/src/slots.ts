const COOL_MS = 100;
const COOL_MAX_MS = 1_000;

export type Slots = {
  /** Resolves to the function that gives the slot back. Rejects with the signal's reason where that comes first. */
  acquire(signal: AbortSignal): Promise<() => void>;
  /** How many calls the service can work on; more than that never go out. */
  setCeiling(calls: number): void;
  /** A call was answered. */
  succeeded(): void;
  /** A call was refused because every worker is busy. */
  exhausted(): void;
  readonly limit: number;
  readonly inUse: number;
  /** Who waits for a slot. */
  readonly waiting: number;
};

/**
 * The calls that may be under way. Others call the same service, so the limit is felt for: a refusal halves it and lets no call
 * start for a moment (twice as long each time in a row), an answer raises it by one for each round of answers.
 */
export function createSlots({
  ceiling: first,
  onChange = () => {},
}: {
  ceiling: number;
  onChange?: (slots: Slots) => void;
}): Slots {
  let ceiling = first;
  let limit = first;
  let inUse = 0;
  let coolMs = 0;
  let cooling: NodeJS.Timeout | undefined;
  const waiting = new Set<() => void>(); // in order of arrival

  function admit() {
    for (const start of waiting) {
      if (cooling || inUse >= Math.floor(limit)) break;
      waiting.delete(start);
      inUse += 1;
      start();
    }
    onChange(slots);
  }

  function releaser(): () => void {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      inUse -= 1;
      admit();
    };
  }

  const slots: Slots = {
    acquire(signal) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const onAbort = () => {
          waiting.delete(start);
          reject(signal.reason);
          onChange(slots);
        };
        const start = () => {
          signal.removeEventListener('abort', onAbort);
          resolve(releaser());
        };
        signal.addEventListener('abort', onAbort);
        waiting.add(start);
        admit();
      });
    },
    setCeiling(calls) {
      // What the service gained is used at once; what it lost is not exceeded.
      if (calls > ceiling) limit += calls - ceiling;
      ceiling = Math.max(1, calls);
      limit = Math.min(limit, ceiling);
      admit();
    },
    succeeded() {
      coolMs = 0;
      limit = Math.min(ceiling, limit + 1 / limit);
    },
    exhausted() {
      if (cooling) return; // calls that went out together are refused together
      limit = Math.max(1, limit / 2);
      coolMs = Math.min(COOL_MAX_MS, Math.max(COOL_MS, coolMs * 2));
      cooling = setTimeout(() => {
        cooling = undefined;
        admit();
      }, coolMs);
    },
    get limit() {
      return Math.floor(limit);
    },
    get inUse() {
      return inUse;
    },
    get waiting() {
      return waiting.size;
    },
  };
  return slots;
}
