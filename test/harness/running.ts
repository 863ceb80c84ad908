import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Part } from '../../scripts/parts/part.ts';
import { endProcess, hasEnded, launch } from '../../scripts/parts/process.ts';

// For whoever looks into a failure: what the programs print is kept in this folder.
const LOGS = process.env.KUBE_FACE_TEST_LOGS;
const READY_MS = 60_000;
const KEPT_CHARACTERS = 200_000;

/** A program under test. It may be ended and started again, on the same ports and with the same data. */
export type Running = {
  pid(): number;
  hasEnded(): boolean;
  /** What it printed, on both streams. */
  output(): string;
  /** Starts it where it has ended; resolves once it answers. Throws with its output where it ends instead. */
  start(): Promise<void>;
  /** SIGTERM, and resolves to the exit code once it has ended; null where it had to be killed. */
  stop(): Promise<number | null>;
  /** SIGKILL, after which it has ended; other signals (SIGSTOP, SIGCONT) are only sent. */
  kill(signal?: NodeJS.Signals): Promise<void>;
};

const started = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of started) child.kill('SIGKILL');
});

/** Starts the part and resolves once it answers. */
export async function run(part: Part): Promise<Running> {
  let child: ChildProcess;
  let output = '';

  async function start(): Promise<void> {
    child = await launch(part, 'pipe');
    started.add(child);
    child.once('exit', () => started.delete(child));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-KEPT_CHARACTERS);
        if (LOGS !== undefined) appendFileSync(join(LOGS, `${part.name}.log`), text);
      });
    }
    const end = Date.now() + READY_MS;
    while (!(await part.isReady())) {
      if (!hasEnded(child) && Date.now() < end) await delay(20);
      else throw new Error(`${part.name} ${hasEnded(child) ? 'ended' : 'does not answer'}; it printed:\n${output.slice(-4_000)}`);
    }
  }

  await start();
  return {
    pid: () => child.pid ?? 0,
    hasEnded: () => hasEnded(child),
    output: () => output,
    start,
    async stop() {
      await endProcess(child, part.graceMs);
      return child.exitCode;
    },
    async kill(signal = 'SIGKILL') {
      if (hasEnded(child)) return;
      const ended = once(child, 'exit');
      child.kill(signal);
      if (signal === 'SIGKILL') await ended;
    },
  };
}
