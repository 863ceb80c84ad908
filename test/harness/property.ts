import fc from 'fast-check';
import { test } from 'vitest';

const RUNS = Number(process.env.FUZZ_RUNS ?? 300);
const MS_PER_RUN = 100;

/**
 * A test that must hold for whatever the arbitraries make. `cost` is how many times more than the cheapest a run costs; so many
 * fewer are made. A failure prints the seed and the smallest input.
 */
export function property<T extends [unknown, ...unknown[]]>(
  name: string,
  arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> },
  holds: (...input: T) => void | Promise<void>,
  { cost = 1 }: { cost?: number } = {},
): void {
  const numRuns = Math.max(30, Math.round(RUNS / cost));
  test(
    name,
    async () => {
      await fc.assert(
        fc.asyncProperty(...arbitraries, async (...input) => {
          await holds(...input);
        }),
        { numRuns },
      );
    },
    20_000 + numRuns * cost * MS_PER_RUN,
  );
}
