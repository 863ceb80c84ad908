import { say } from '../lib/progress.mjs';
import { until } from '../parts/answers.ts';
import type { Part } from '../parts/part.ts';
import type { PidFiles } from '../parts/pid-files.ts';
import { repeat, type Supervised, supervise } from '../parts/supervise.ts';
import { STATE } from './state.ts';

const REDEEM_EVERY_MS = 60_000;
const READY = { withinMs: 120_000, tellAfterMs: 2_000 };

/** A part was started and does not answer; the message says where to look. */
export class NotReadyError extends Error {
  override readonly name = 'NotReadyError';
}

/** What runs now. Parts of one step start and stop together; steps stop in the reverse of the order in which they started. */
export function createSystem(pidFiles: PidFiles, stopping: AbortSignal) {
  const steps: Supervised[][] = [];
  const optionsOf = (part: Part) => ({ part, logFile: STATE.logOf(part.name), pidFiles, say });

  return {
    /** Starts the parts; they are kept running from now on. */
    start(...parts: Part[]): void {
      steps.push(parts.map((part) => supervise(optionsOf(part))));
    },
    /** Runs the part every minute. */
    startRepeating(part: Part): void {
      steps.push([repeat({ ...optionsOf(part), everyMs: REDEEM_EVERY_MS })]);
    },
    /** Resolves once all of the parts answer. Throws where one does not. */
    async ready(...parts: Part[]): Promise<void> {
      await Promise.all(parts.map(answers));
    },
    async stop(): Promise<void> {
      for (const step of steps.splice(0).toReversed()) await Promise.all(step.map((supervised) => supervised.stop()));
    },
  };

  async function answers(part: Part): Promise<void> {
    const timer = setTimeout(() => say(`waiting for ${part.name} ...`), READY.tellAfterMs);
    try {
      if (await until(part.isReady, READY.withinMs, stopping)) return;
      stopping.throwIfAborted();
      throw new NotReadyError(
        `${part.name} does not answer after ${READY.withinMs / 1000} s; its log: ${STATE.logOf(part.name)}`,
      );
    } finally {
      clearTimeout(timer);
    }
  }
}

export type System = ReturnType<typeof createSystem>;
