import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { round } from './figures.ts';

const TICKS_PER_SECOND = 100; // of /proc, whatever the kernel's own

/** Resident memory of a process, in MB. */
export async function memoryMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) / 1_000);
}

/** Processor time that a process has used, in milliseconds. */
export async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_SECOND;
}

export type Pids = Readonly<Record<string, number | readonly number[]>>;

/** Starts counting the processor time of processes; what it returns tells what each has used since, by name. */
export async function countCpu(pids: Pids): Promise<() => Promise<Record<string, number>>> {
  const read = async () => {
    const used: Record<string, number> = {};
    for (const [name, ofName] of Object.entries(pids)) {
      const times = await Promise.all([ofName].flat().map(cpuMs));
      used[name] = times.reduce((sum, ms) => sum + ms, 0);
    }
    return used;
  };
  const before = await read();
  return async () => {
    const after = await read();
    return Object.fromEntries(Object.entries(after).map(([name, ms]) => [name, ms - (before[name] ?? 0)]));
  };
}

/** Milliseconds of a core for each photo, as columns of a table. */
export function cpuColumns(used: Readonly<Record<string, number>>, photos: number): Record<string, number> {
  return Object.fromEntries(Object.entries(used).map(([name, ms]) => [`${name}CpuMs`, round(ms / photos, 2)]));
}

const QUIET = { lookMs: 1_000, cpuMs: 50, looks: 60 };

/** Waits, a minute at most, until a process does next to nothing: a database goes on for a while after its last answer. */
export async function untilQuiet(pid: number): Promise<void> {
  for (let look = 0; look < QUIET.looks; look += 1) {
    const before = await cpuMs(pid);
    await delay(QUIET.lookMs);
    if ((await cpuMs(pid)) - before <= QUIET.cpuMs) return;
  }
}
