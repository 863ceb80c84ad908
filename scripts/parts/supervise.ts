import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs } from '@kube-face/shared-lib/backoff';
import type { Part } from './part.ts';
import type { PidFiles } from './pid-files.ts';
import { endProcess, launch } from './process.ts';

// A part that ends is started again after 0.1 s, and after at most 3 s where it ends again and again.
const BACKOFF = { baseMs: 100, maxMs: 3_000 };
const STEADY_MS = 10_000; // having lived this long, its failures are forgotten
const LARGE_LOG_BYTES = 20_000_000;

export type Supervised = {
  readonly name: string;
  readonly pid: number | undefined;
  /** Ends it for good. Idempotent. */
  stop(): Promise<void>;
};

export type SupervisorOptions = { part: Part; logFile: string; pidFiles: PidFiles; say: (line: string) => void };

/** Keeps the part running until it is stopped. */
export function supervise(options: SupervisorOptions): Supervised {
  const { part, logFile, say } = options;
  let failures = 0;
  return runAgainAndAgain(options, ({ how, livedMs }) => {
    failures = livedMs > STEADY_MS ? 1 : failures + 1;
    say(`${part.name} ended (${how}); starting it again. Its log: ${logFile}`);
    return backoffMs(failures, BACKOFF);
  });
}

/** Runs a program that ends by itself, again and again, `everyMs` after its end, as a CronJob does in a cluster. */
export function repeat({ everyMs, ...options }: SupervisorOptions & { everyMs: number }): Supervised {
  const { part, logFile, say } = options;
  let before = WELL;
  return runAgainAndAgain(options, ({ how }) => {
    if (how !== before && how !== WELL) say(`${part.name} failed (${how}). Its log: ${logFile}`);
    before = how;
    return everyMs;
  });
}

type End = { how: string; livedMs: number };
const WELL = 'code 0';

function runAgainAndAgain({ part, logFile, pidFiles, say }: SupervisorOptions, waitMsAfter: (end: End) => number): Supervised {
  const stopping = new AbortController();
  let child: ChildProcess | undefined;
  const running = run();

  async function run(): Promise<void> {
    rotate(logFile);
    while (!stopping.signal.aborted) {
      const begin = performance.now();
      const how = await runOnce();
      if (stopping.signal.aborted) break;
      const waitMs = waitMsAfter({ how, livedMs: performance.now() - begin });
      await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => {}); // stopped: the loop ends
    }
    await pidFiles.remove(part.name);
  }

  /** Resolves to how it ended. */
  async function runOnce(): Promise<string> {
    const log = openSync(logFile, 'a');
    try {
      child = await launch(part, log);
      const ended = once(child, 'exit');
      if (child.pid !== undefined) await pidFiles.write(part.name, child.pid, [part.command, ...part.args]);
      if (stopping.signal.aborted) await endProcess(child, part.graceMs); // stopped while it was being started
      const [code, signal] = await ended;
      return signal ?? `code ${code}`;
    } catch (error) {
      return sentenceOf(error);
    } finally {
      closeSync(log);
    }
  }

  return {
    name: part.name,
    get pid() {
      return child?.pid;
    },
    async stop() {
      stopping.abort();
      if (child) await endProcess(child, part.graceMs);
      await running;
      await part.afterStop?.().catch((error: unknown) => say(`${part.name} left something behind: ${sentenceOf(error)}`));
    },
  };
}

const sentenceOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** Keeps the log of the time before as one file beside it, once it is large. */
function rotate(logFile: string): void {
  mkdirSync(dirname(logFile), { recursive: true });
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LARGE_LOG_BYTES) renameSync(logFile, `${logFile}.1`);
}
