import type { DescribeResponseMessage } from '@kube-face/shared-lib/face-messages';
import type { Logger } from '@kube-face/shared-lib/logger';
import { FaceServiceError } from './face-client.ts';

/** How many calls go out to a service that cannot say how many photos it works on side by side: the original's. */
const CALLS_UNTOLD = 4;

const ASK_MS = 5_000;

export type FaceService = {
  /** Asks until answered once; throws FaceServiceError where the service cannot be reached. Cheap afterwards. */
  known(): Promise<void>;
  /** At or under this distance a known photo matches, or undefined where the service has not told (the original's). */
  threshold(model: string): number | undefined;
  /** Whether the service tells when it takes a photo up. The original's does not. */
  readonly tellsBegan: boolean;
  close(): void;
};

export type FaceServiceOptions = {
  describe: () => Promise<DescribeResponseMessage>;
  /** How many processes stand behind the address. */
  countPods: () => Promise<number>;
  /** No question goes out while this says no. */
  mayCall: () => boolean;
  onCapacity: (calls: number) => void;
  log: Logger;
};

/** What is known about face recognition: asked when first needed, and every 5 s from then on. */
export function createFaceService({ describe, countPods, mayCall, onCapacity, log }: FaceServiceOptions): FaceService {
  const thresholds = new Map<string, number>(); // by model: while a new one is rolled out, both answer
  let tellsBegan = false;
  let asked: Promise<void> | undefined;
  let lastWorkers: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  async function ask(): Promise<void> {
    try {
      const { model, threshold, workers } = await describe();
      thresholds.set(model, threshold);
      tellsBegan = true;
      const pods = await countPods().catch(() => 1);
      // Beside what they work on, one photo waits with each, so that no worker waits for the next.
      onCapacity(Math.max(1, workers * pods) + pods);
      if (workers !== lastWorkers) log.info({ model, threshold, workers, pods }, 'face recognition described itself');
      lastWorkers = workers;
    } catch (error) {
      if (!(error instanceof FaceServiceError) || error.code !== 'unsupported') throw error;
      tellsBegan = false;
      onCapacity(CALLS_UNTOLD);
      if (lastWorkers !== 0) log.info('face recognition does not describe itself: treated as the original');
      lastWorkers = 0;
    }
  }

  function askAgain() {
    if (isClosed) return;
    timer = setTimeout(() => {
      const again = mayCall() ? ask() : Promise.resolve();
      void again.catch((error) => log.debug({ error }, 'face recognition did not describe itself')).then(askAgain);
    }, ASK_MS);
  }

  return {
    known() {
      asked ??= ask().then(askAgain, (error) => {
        asked = undefined;
        // No photo was handed over, so whatever went wrong is no photo's fault.
        throw new FaceServiceError('unavailable', { began: false, cause: error });
      });
      return asked;
    },
    threshold: (model) => thresholds.get(model),
    get tellsBegan() {
      return tellsBegan;
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
