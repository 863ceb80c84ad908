import { ImageStatus, type Outcome, STATUS_WORDS, type StatusWord, statusWord } from '@kube-face/shared-lib/image-status';
import type { Logger } from '@kube-face/shared-lib/logger';
import type { Database, RowDataPacket } from '@kube-face/shared-lib/mysql';

/** Photos that were finished within one minute. */
export type Minute = Readonly<{ processed: number; failed: number }>;

export type Counts = Readonly<{
  byStatus: Readonly<Record<StatusWord, number>>;
  byOutcome: Readonly<Partial<Record<Outcome, number>>>;
  /** Of the last hour, oldest first; the last one is under way. */
  lastHour: readonly Minute[];
  /** Photos finished within the last 60 seconds. */
  lastMinute: number;
}>;

/** Whether there are finished photos that no outcome is written for, as the original's processor leaves them. */
export function hasUnwrittenOutcomes({ byStatus, byOutcome }: Counts): boolean {
  return byStatus.processed + byStatus.failed > Object.values(byOutcome).reduce((sum, n) => sum + n, 0);
}

export type CountSource = ReturnType<typeof createCounts>;

// Each is answered from one index alone. The first two still read all of it, a quarter of a second for a million photos, so
// they run beside the requests, and the more they cost the less often.
const BY_STATUS = 'select status, count(*) as n from images force index (images_status) group by status';
const BY_OUTCOME = `
  select outcome, count(*) as n from images force index (images_outcome) where outcome is not null group by outcome`;
const LAST_MINUTE = `
  select count(*) as n, unix_timestamp() div 60 as minute from images force index (images_finished)
  where finished_at >= now(3) - interval 60 second`;
const BY_MINUTE = `
  select unix_timestamp(finished_at) div 60 as minute, status, count(*) as n
  from images force index (images_finished)
  where finished_at >= from_unixtime(?) group by minute, status`;

const MINUTES = 60;
const EVERY_MS = 1_500;
const COST_FACTOR = 20; // counting takes at most a twentieth of one connection's time
const IDLE_MS = 60_000; // nobody looks: nothing is counted
const FRESH_MS = 15_000;
const PATIENCE_MS = 80; // a page is made within 100 ms, counted or not

type CountRow = RowDataPacket & { n: number };

/** Counts in the background while somebody looks, and keeps the last result. */
export function createCounts({ db, log, now = Date.now }: { db: Pick<Database, 'query'>; log: Logger; now?: () => number }) {
  const minutes = new Map<number, { processed: number; failed: number }>();
  let counted: Counts | undefined;
  let countedAt = Number.NEGATIVE_INFINITY;
  let askedAt = 0;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  /** Reads the minutes that are not known yet, and the two last, which may have grown. */
  async function readMinutes(current: number): Promise<void> {
    const first = current - MINUTES + 1;
    for (const minute of minutes.keys()) if (minute < first) minutes.delete(minute);
    const last = Math.max(...minutes.keys());
    const from = Math.max(first, Number.isFinite(last) ? last - 1 : first);
    const rows = await db.query<(CountRow & { minute: number; status: number })[]>(BY_MINUTE, [from * 60]);
    for (let minute = from; minute <= current; minute += 1) minutes.set(minute, { processed: 0, failed: 0 });
    for (const { minute, status, n } of rows) {
      const counts = minutes.get(minute);
      if (counts && status === ImageStatus.Processed) counts.processed += n;
      else if (counts && status === ImageStatus.Failed) counts.failed += n;
    }
  }

  async function count(): Promise<void> {
    const byStatus = Object.fromEntries(STATUS_WORDS.map((word) => [word, 0])) as Record<StatusWord, number>;
    for (const { status, n } of await db.query<(CountRow & { status: number })[]>(BY_STATUS)) byStatus[statusWord(status)] += n;
    const outcomes = await db.query<(CountRow & { outcome: Outcome })[]>(BY_OUTCOME);
    const [last] = await db.query<(CountRow & { minute: number })[]>(LAST_MINUTE);
    const current = last?.minute ?? 0;
    await readMinutes(current);
    counted = {
      byStatus,
      byOutcome: Object.fromEntries(outcomes.map(({ outcome, n }) => [outcome, n])),
      lastHour: Array.from({ length: MINUTES }, (_, index) => {
        return minutes.get(current - MINUTES + 1 + index) ?? { processed: 0, failed: 0 };
      }),
      lastMinute: last?.n ?? 0,
    };
  }

  async function run(): Promise<void> {
    const started = now();
    try {
      await count();
      countedAt = now();
    } catch (error) {
      log.debug({ error }, 'could not count');
    }
    running = undefined;
    if (closed || now() - askedAt > IDLE_MS) return;
    timer = setTimeout(start, Math.max(EVERY_MS, COST_FACTOR * (now() - started)));
    timer.unref();
  }

  function start(): void {
    if (closed || running !== undefined) return;
    clearTimeout(timer);
    timer = undefined;
    running = run();
  }

  return {
    /** The last counts, without waiting; undefined before the first. Keeps the counting going. */
    latest(): Counts | undefined {
      askedAt = now();
      if (!timer) start();
      return counted;
    },
    /** Counts not older than some seconds where they can be had within 80 ms, else the last ones. */
    async current(): Promise<Counts | undefined> {
      this.latest();
      if (running && now() - countedAt > FRESH_MS) {
        let patience: NodeJS.Timeout | undefined;
        await Promise.race([running, new Promise((resolve) => (patience = setTimeout(resolve, PATIENCE_MS)))]);
        clearTimeout(patience);
      }
      return counted;
    },
    close(): void {
      closed = true;
      clearTimeout(timer);
    },
  };
}
