/** How long to wait after the `failures`-th failure in a row (from 1): `baseMs`, doubled each time, at most `maxMs`. */
export function backoffMs(failures: number, { baseMs, maxMs }: { baseMs: number; maxMs: number }): number {
  return Math.min(maxMs, baseMs * 2 ** Math.min(Math.max(failures, 1) - 1, 30));
}
