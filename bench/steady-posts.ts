import { setTimeout as delay } from 'node:timers/promises';
import { type BenchRow, quantile, round } from './figures.ts';

export type SteadyPosts = {
  /** What the posts since the last call took. */
  lap(): BenchRow;
  stop(): Promise<void>;
};

/**
 * Posts single photos at a steady pace, whatever the answers take; each is timed from the moment it was due, so that a receiver
 * that stalls is not asked less often for it.
 */
export function startSteadyPosts({
  url,
  perSecond,
  path,
}: {
  url: string;
  perSecond: number;
  path: (n: number) => string | Promise<string>;
}): SteadyPosts {
  const underWay = new Set<Promise<void>>();
  let times: number[] = [];
  let failed = 0;
  let isStopped = false;

  async function post(n: number, dueAt: number): Promise<void> {
    const body = JSON.stringify({ path: await path(n) });
    try {
      const response = await fetch(`${url}/image/post`, { method: 'POST', body });
      await response.text();
      if (response.status !== 200) failed += 1;
    } catch {
      failed += 1;
    }
    times.push(performance.now() - dueAt);
  }

  const running = (async () => {
    const startedAt = performance.now();
    for (let n = 0; !isStopped; n += 1) {
      const dueAt = startedAt + (n * 1_000) / perSecond;
      const waitMs = dueAt - performance.now();
      if (waitMs > 0) await delay(waitMs);
      const one = post(n, dueAt).finally(() => underWay.delete(one));
      underWay.add(one);
    }
    await Promise.all(underWay);
  })();

  return {
    lap() {
      const [of, bad] = [times, failed];
      times = [];
      failed = 0;
      const ms = (share: number) => round(quantile(of, share));
      return { newPosts: of.length, failed: bad, p50Ms: ms(0.5), p99Ms: ms(0.99), maxMs: ms(1) };
    },
    stop() {
      isStopped = true;
      return running;
    },
  };
}
