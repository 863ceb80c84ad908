import { setTimeout as delay } from 'node:timers/promises';
import { OUTCOMES, outcomeOf, STATUS_WORDS, statusWord } from '@kube-face/shared-lib/image-status';
import type { Database, RowDataPacket } from '@kube-face/shared-lib/mysql';
import type { QueueDepth } from './nsqd-stats.ts';

type Counts = Record<string, number>;

export type Stats = {
  images: Counts;
  outcomes: Counts;
  people: number;
  queue: QueueDepth | null;
  rates: { finishedLastMinute: number; finishedLast5Minutes: number; finishedLast15Minutes: number };
  asOf: string;
};

export type StatsDependencies = {
  database: Pick<Database, 'withConnection'>;
  depth: () => Promise<QueueDepth>;
  now?: () => number;
};

// Each is answered from one index alone. The first two read all of it, so their result is kept, the longer the more it cost.
const BY_STATUS = 'select status, count(*) as n from images group by status';
const BY_OUTCOME = 'select outcome, count(*) as n from images where outcome is not null group by outcome';
// What the original's processor wrote has no outcome; nothing else of these statuses lacks one.
const WITHOUT_OUTCOME = `
  select status, person > 0 as known, count(*) as n from images where outcome is null and status in (1, 2) group by status, known`;
const PEOPLE = 'select count(*) as n from person';
const FINISHED = `
  select count(*) as quarter, coalesce(sum(finished_at > current_timestamp(3) - interval 5 minute), 0) as five,
    coalesce(sum(finished_at > current_timestamp(3) - interval 1 minute), 0) as one
  from images where finished_at > current_timestamp(3) - interval 15 minute`;

const KEPT_MS = 2_000;
const KEPT_TIMES = 20; // counting takes at most this part of the time
const COUNTING_MS = 60_000;
const PATIENCE_MS = 1_000;

/**
 * Counts and rates. Whoever asks gets the last count, or, where that is old, the next one; but the last, too, where counting takes
 * long or the database is away.
 */
export function createStats({ database, depth, now = Date.now }: StatsDependencies): () => Promise<Stats> {
  let last: { until: number; tookMs: number; stats: Stats } | undefined;
  let counting: Promise<Stats> | undefined;

  async function count(): Promise<Stats> {
    const startedAt = now();
    const queue = await depth().catch(() => null);
    const [byStatus = [], byOutcome = [], without = [], people = [], finished = []] = await database.withConnection(
      async (statements) => {
        const results: RowDataPacket[][] = [];
        for (const sql of [BY_STATUS, BY_OUTCOME, WITHOUT_OUTCOME, PEOPLE, FINISHED]) results.push(await statements.query(sql));
        return results;
      },
      COUNTING_MS,
    );
    const images: Counts = Object.fromEntries(STATUS_WORDS.map((word) => [word, 0]));
    for (const { status, n } of byStatus) images[statusWord(status)] = (images[statusWord(status)] ?? 0) + n;
    const outcomes: Counts = Object.fromEntries(OUTCOMES.map((word) => [word, 0]));
    for (const { outcome, n } of byOutcome) if (outcome in outcomes) outcomes[outcome] = n;
    for (const { status, known, n } of without) {
      const word = outcomeOf({ status, outcome: null, person: known === 1 ? 1 : null });
      if (word) outcomes[word] = (outcomes[word] ?? 0) + n;
    }
    const [rates] = finished;
    const stats: Stats = {
      images,
      outcomes,
      people: people[0]?.n ?? 0,
      queue,
      rates: {
        finishedLastMinute: Number(rates?.one ?? 0),
        finishedLast5Minutes: Number(rates?.five ?? 0),
        finishedLast15Minutes: Number(rates?.quarter ?? 0),
      },
      asOf: new Date(startedAt).toISOString(),
    };
    const tookMs = now() - startedAt;
    last = { until: now() + Math.max(KEPT_MS, tookMs * KEPT_TIMES), tookMs, stats };
    return stats;
  }

  return async () => {
    if (last && now() < last.until) return last.stats;
    counting ??= count().finally(() => {
      counting = undefined;
    });
    if (!last) return counting;
    const { stats, tookMs } = last;
    const counted = counting.catch(() => stats); // the last count serves until one succeeds
    return tookMs < PATIENCE_MS ? Promise.race([counted, delay(PATIENCE_MS, stats, { ref: false })]) : stats;
  };
}
