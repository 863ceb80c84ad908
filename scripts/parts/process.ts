import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { diesWithUs } from './machine.ts';
import type { Part } from './part.ts';

/** Where its output goes: a file, or nowhere, or to be read here. */
export type Output = number | 'ignore' | 'pipe';

/**
 * Starts the part as one process in a session of its own, so that a terminal's Ctrl-C reaches whoever started it and not the
 * part: parts are stopped in order. It ends with us, where the machine can do that.
 */
export async function launch(part: Part, output: Output): Promise<ChildProcess> {
  const [command = part.command, ...args] = [...(await diesWithUs()), part.command, ...part.args];
  return spawn(command, args, { cwd: part.cwd, env: part.env, detached: true, stdio: ['ignore', output, output] });
}

export const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;

/** Asks the process to end and resolves once it has; after `graceMs` it is ended. */
export async function endProcess(child: ChildProcess, graceMs: number): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await ended;
  clearTimeout(timer);
}
