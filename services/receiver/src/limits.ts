import { ApiError } from './api-error.ts';

export type Limits = {
  /** Takes a request in, or says why not. Whoever was taken in must be let out. */
  enter(client: string): ApiError | undefined;
  leave(): void;
};

export type LimitOptions = {
  maxConcurrent: number;
  /** Of one client; 0: any number. */
  maxPerSecond: number;
  /** Milliseconds of any clock that only goes forward. */
  now: () => number;
};

const MAX_CLIENTS = 10_000;

/** At most so many requests at once, and of one client so many a second (with a second's worth of burst). */
export function createLimits({ maxConcurrent, maxPerSecond, now }: LimitOptions): Limits {
  const clients = new Map<string, { left: number; at: number }>();
  let running = 0;

  function tooMany(message: string): ApiError {
    return new ApiError(429, 'too_many_requests', message, { retryAfterSeconds: 1 });
  }

  function isWithinRate(client: string): boolean {
    const time = now();
    const { left, at } = clients.get(client) ?? { left: maxPerSecond, at: time };
    const filled = Math.min(maxPerSecond, left + ((time - at) / 1_000) * maxPerSecond);
    clients.delete(client);
    clients.set(client, { left: filled >= 1 ? filled - 1 : filled, at: time });
    if (clients.size > MAX_CLIENTS) clients.delete(clients.keys().next().value ?? ''); // who has been quiet the longest
    return filled >= 1;
  }

  return {
    enter(client) {
      if (running >= maxConcurrent) return tooMany(`more than ${maxConcurrent} requests at once`);
      if (maxPerSecond > 0 && !isWithinRate(client)) return tooMany(`more than ${maxPerSecond} requests a second`);
      running += 1;
      return undefined;
    },
    leave() {
      running -= 1;
    },
  };
}
