import { ImageStatus } from '@kube-face/shared-lib/image-status';
import { Gauge, METRIC_PREFIX, type Registry } from '@kube-face/shared-lib/metrics';
import type { Database, RowDataPacket } from '@kube-face/shared-lib/mysql';

const KEPT_MS = 10_000;

// Each reads the first entries of an index, however long the table is. A photo that was never queued has no queued_at.
const OLDEST_PENDING = `
  select greatest(
    coalesce((select timestampdiff(microsecond, queued_at, current_timestamp(3)) from images
      where status = ${ImageStatus.Pending} and queued_at is not null order by queued_at limit 1), 0),
    coalesce((select timestampdiff(microsecond, created_at, current_timestamp(3)) from images
      where status = ${ImageStatus.Pending} and queued_at is null order by id limit 1), 0)) / 1000000 as oldest_seconds`;
const ENDED_LEASES = `
  select count(*) as ended_leases from images
  where status = ${ImageStatus.Processing} and lease_until < current_timestamp(3)`;

export type BacklogOptions = {
  registry: Registry;
  database: Pick<Database, 'query'>;
  /** Milliseconds of any clock that only goes forward. */
  now: () => number;
};

/**
 * What waits in the table, for whoever watches. Whoever asks gets what was read before, and has it read anew at most every 10 s:
 * a database that is away makes no answer late. While it is away the figures are missing, not zero.
 */
export function watchBacklog({ registry, database, now }: BacklogOptions): void {
  let readAt = Number.NEGATIVE_INFINITY;
  let backlog: { oldestSeconds: number; endedLeases: number } | undefined;

  async function read(): Promise<void> {
    const [[oldest], [ended]] = await Promise.all([
      database.query<RowDataPacket[]>(OLDEST_PENDING),
      database.query<RowDataPacket[]>(ENDED_LEASES),
    ]);
    backlog = { oldestSeconds: Number(oldest?.oldest_seconds), endedLeases: Number(ended?.ended_leases) };
  }

  function latest() {
    if (now() - readAt >= KEPT_MS) {
      readAt = now();
      read().catch(() => {
        backlog = undefined;
      });
    }
    return backlog;
  }

  const gauges = [
    ['oldest_pending_photo_seconds', 'How long the oldest pending photo has waited since it was queued.', 'oldestSeconds'],
    ['leases_ended', 'Photos in processing whose lease has ended, and that nobody has taken over yet.', 'endedLeases'],
  ] as const;
  for (const [name, help, figure] of gauges) {
    new Gauge({
      name: METRIC_PREFIX + name,
      help,
      registers: [registry],
      collect() {
        const value = latest()?.[figure];
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });
  }
}
