import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { runQuietly } from '../lib/run.mjs';
import { until } from './answers.ts';

type Entry = { pid: number; command: string[] };

/** Notes of which processes are ours, so that the next start finds those that outlived their supervisor. */
export function createPidFiles(folder: string, checkout: string) {
  const fileOf = (name: string) => join(folder, `${name}.pid`);

  async function read(name: string): Promise<Entry | undefined> {
    try {
      return JSON.parse(await readFile(fileOf(name), 'utf8'));
    } catch {
      return undefined; // gone meanwhile, or cut off when the machine stopped
    }
  }

  /** The process of a note while it lives and is still that one: a number is given again to any other program. */
  async function livingPid(name: string): Promise<number | undefined> {
    const entry = await read(name);
    return entry && (await isOurs(entry, checkout)) ? entry.pid : undefined;
  }

  return {
    livingPid,
    async write(name: string, pid: number, command: readonly string[]): Promise<void> {
      await mkdir(folder, { recursive: true });
      await writeFile(fileOf(name), JSON.stringify({ pid, command }));
    },
    remove: (name: string) => rm(fileOf(name), { force: true }),

    /** Ends every process that a note speaks of and that is ours beyond doubt; resolves to their names. */
    async endStale(graceMs: number): Promise<string[]> {
      const files = existsSync(folder) ? await readdir(folder) : [];
      const names = files.filter((file) => file.endsWith('.pid')).map((file) => file.slice(0, -'.pid'.length));
      const ended = await Promise.all(names.map((name) => endOne(name, graceMs)));
      return names.filter((_, index) => ended[index]);
    },
  };

  async function endOne(name: string, graceMs: number): Promise<boolean> {
    const pid = await livingPid(name);
    if (pid !== undefined) {
      signal(pid, 'SIGTERM');
      const isGone = async () => hasEnded(pid);
      if (!(await until(isGone, graceMs))) {
        signal(pid, 'SIGKILL');
        await until(isGone, graceMs);
      }
    }
    await rm(fileOf(name), { force: true });
    return pid !== undefined;
  }
}

export type PidFiles = ReturnType<typeof createPidFiles>;

/** Its command line is the one that we gave it, and it works inside the checkout. */
async function isOurs({ pid, command }: Entry, checkout: string): Promise<boolean> {
  if (existsSync('/proc/self/cmdline')) {
    try {
      const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0').slice(0, -1);
      const folder = readlinkSync(`/proc/${pid}/cwd`);
      return words.join('\0') === command.join('\0') && `${folder}${sep}`.startsWith(`${checkout}${sep}`);
    } catch {
      return false;
    }
  }
  const line = await runQuietly('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => '');
  return line.trim() === command.join(' ') && line.includes(checkout);
}

/** Its files and ports are free again: it is gone, or waits for its parent to look at it (state Z). */
function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return /^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === 'ESRCH' || (code === 'ENOENT' && existsSync('/proc/self/stat'));
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended.
  }
}
