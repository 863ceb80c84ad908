import { randomBytes } from 'node:crypto';
import type { Logger } from '@kube-face/shared-lib/logger';
import type { QueueState } from './queue-state.ts';
import type { Reason, Redeemable, RedeemStore } from './redeem-store.ts';

const BATCH = 1_000;
const MAX_BATCHES = 500; // of one reason in one run; the next run goes on

export type RedeemDependencies = {
  store: RedeemStore;
  queue: QueueState;
  /** Resolves once nsqd has acknowledged the ids. */
  publish: (ids: readonly number[]) => Promise<void>;
  /** Name of the nsqd that is published to, as in `images.queued_on`. */
  nsqd: string | undefined;
  redeemAfterMs: number;
  log: Logger;
};

export type Redeemed = Partial<Record<Reason['kind'], number>>;

/** The reasons of this run. What the queue holds is asked once: what this run publishes must not count. */
async function reasonsOf({ store, queue, redeemAfterMs }: Pick<RedeemDependencies, 'store' | 'queue' | 'redeemAfterMs'>) {
  const before = new Date((await store.now()).getTime() - redeemAfterMs);
  const reasons: Reason[] = [{ kind: 'lease_ended' }, { kind: 'back_off_ended' }, { kind: 'never_queued' }];
  const lost: Reason = { kind: 'queue_empty', before };
  if ((await store.find(lost, 0, 1)).length === 0) return reasons; // nothing waits so long
  if (await queue.isEmpty()) return [...reasons, lost];
  const nsqds = await queue.findGone(await store.nsqdsWaitedFor(before));
  return nsqds.length > 0 ? [...reasons, { kind: 'nsqd_gone', before, nsqds } satisfies Reason] : reasons;
}

/**
 * Puts back whatever was left behind: stamps the rows in one UPDATE, then publishes them, then writes down that nsqd has them.
 * Whoever dies in between leaves rows that are pending, not queued and stamped, which a later run takes up. Throws what the
 * database or the publisher throws; what was done until then stays done.
 */
export async function redeem(dependencies: RedeemDependencies): Promise<Redeemed> {
  const { store, publish, nsqd, log } = dependencies;
  const redeemed: Redeemed = {};
  for (const reason of await reasonsOf(dependencies)) {
    for await (const photos of batches(store, reason)) {
      const token = randomBytes(16);
      const ids = await store.stamp(
        reason,
        photos.map(({ id }) => id),
        token,
      );
      if (ids.length === 0) continue; // another redeemer was first
      try {
        await publish(ids);
      } catch (error) {
        await store.release(token);
        throw error;
      }
      await store.markQueued(token, nsqd);
      redeemed[reason.kind] = (redeemed[reason.kind] ?? 0) + ids.length;
      log.info({ reason: reason.kind, images: ids.length, first: ids[0] }, 'put back');
    }
  }
  return redeemed;
}

/** What `redeem` would put back now, and why; changes nothing. */
export async function* previewRedeem(
  dependencies: Pick<RedeemDependencies, 'store' | 'queue' | 'redeemAfterMs'>,
): AsyncGenerator<Redeemable & { reason: Reason['kind'] }> {
  for (const reason of await reasonsOf(dependencies)) {
    for await (const photos of batches(dependencies.store, reason)) {
      for (const photo of photos) yield { ...photo, reason: reason.kind };
    }
  }
}

async function* batches(store: Pick<RedeemStore, 'find'>, reason: Reason): AsyncGenerator<Redeemable[]> {
  let afterId = 0;
  for (let batch = 0; batch < MAX_BATCHES; batch += 1) {
    const photos = await store.find(reason, afterId, BATCH);
    if (photos.length > 0) yield photos;
    if (photos.length < BATCH) return;
    afterId = photos.at(-1)?.id ?? afterId;
  }
}
