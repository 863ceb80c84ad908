import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@kube-face/shared-lib/logger';
import type { ErasureStore } from './erasure-store.ts';
import type { FreePhotos } from './free-photos.ts';
import type { Idempotency } from './idempotency.ts';
import { LeaseLostError } from './leased-work.ts';

export type ForgetPersonDependencies = {
  store: ErasureStore;
  freePhotos: FreePhotos;
  idempotency: Pick<Idempotency, 'redact'>;
  log: Logger;
  /** How long to wait for the work's end before telling that it goes on. */
  waitMs?: number;
  now?: () => number;
};

const WAIT_MS = 5_000;
const POLL_MS = 50;

/**
 * Does what is left after a person's row is gone: nobody can write the person into a face any more, but what was written before
 * is in rows that no index finds. It goes through all faces by id, so what was cut short goes on where it stopped.
 */
export function createForgetPerson({
  store,
  freePhotos,
  idempotency,
  log,
  waitMs = WAIT_MS,
  now = () => performance.now(),
}: ForgetPersonDependencies) {
  async function forget(person: number): Promise<void> {
    await freePhotos(person);
    await idempotency.redact(person);
  }

  return {
    /** Does the oldest work that is left, to its end. False where there is none. */
    async next(signal: AbortSignal): Promise<boolean> {
      const work = await store.claim();
      if (!work) return false;
      const { id, person } = work;
      try {
        if (work.isSwept) {
          await forget(person);
          await store.finish(id);
          return true;
        }
        await forget(person);
        for (let last = work.lastFace; ; ) {
          if (signal.aborted) return false;
          const page = await store.page(person, last);
          if (!page) break;
          const changed = await store.clear(person, page.mentions);
          last = page.lastFace;
          await store.advance(id, { lastFace: last, examined: page.examined, changed });
        }
        await store.rest(id);
        log.info({ erasure: id, person }, 'no face is near to the erased person any more');
        return true;
      } catch (error) {
        if (error instanceof LeaseLostError) return true;
        throw error;
      } finally {
        await store.release(id).catch(() => {}); // else its lease ends
      }
    },

    /** Whether no face is near to the person any more; waits a while for that. */
    async isSwept(id: number): Promise<boolean> {
      for (const end = now() + waitMs; now() < end; await delay(POLL_MS)) {
        const erasure = await store.get(id).catch(() => undefined); // it is erased, whatever the database says now
        if (erasure?.isSwept) return true;
      }
      return false;
    },
  };
}
