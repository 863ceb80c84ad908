import { existsSync, readFileSync } from 'node:fs';
import { say } from '../lib/progress.mjs';
import type { PidFiles } from '../parts/pid-files.ts';

const SUPERVISOR = 'supervisor';
const GRACE_MS = 30_000;

/** Another `npm start` runs in this checkout. */
export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError';
}

/** Makes this process the one that runs the system here, and ends what an earlier one left behind when it was killed. */
export async function claimCheckout(pidFiles: PidFiles): Promise<void> {
  const other = await pidFiles.livingPid(SUPERVISOR);
  if (other !== undefined && other !== process.pid) {
    throw new AlreadyRunningError(`npm start runs here already, as process ${other}; stop it first`);
  }
  const stale = await pidFiles.endStale(GRACE_MS);
  if (stale.length > 0) say(`ended what an earlier start had left: ${stale.join(', ')}`);
  await pidFiles.write(SUPERVISOR, process.pid, ownCommand());
}

export const releaseCheckout = (pidFiles: PidFiles) => pidFiles.remove(SUPERVISOR);

function ownCommand(): string[] {
  if (existsSync('/proc/self/cmdline')) return readFileSync('/proc/self/cmdline', 'utf8').split('\0').slice(0, -1);
  return [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
}
