import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { CHECKOUT } from '../system/state.ts';
import { findPnpm } from './install.mjs';

export type PnpmResult = { code: number | null; output: string; errors: string };

/** Only what the images contain: dependencies of the services, not of the tests. */
export const OF_THE_SERVICES = ['--filter', './services/*'] as const;

/** Runs the project's pnpm to its end, whatever that is. */
export async function runPnpm(args: readonly string[]): Promise<PnpmResult> {
  const { command, args: first } = await findPnpm(CHECKOUT);
  const child = spawn(command, [...first, ...args], { cwd: CHECKOUT, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, output, errors };
}
