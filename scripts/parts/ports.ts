import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whether nobody listens on the port, on any address. */
export async function isFree(port: number): Promise<boolean> {
  for (const host of ['::', '0.0.0.0']) {
    const server = createServer();
    try {
      server.listen(port, host);
      await once(server, 'listening');
    } catch (error) {
      // A machine without IPv6 says so; that is no listener.
      if ((error as NodeJS.ErrnoException).code !== 'EAFNOSUPPORT' && (error as NodeJS.ErrnoException).code !== 'EADDRNOTAVAIL')
        return false;
    } finally {
      server.close();
    }
  }
  return true;
}

export type PortChoice = { wanted: number; port: number };

/**
 * The wanted port of each name where it is free, else the next one that is. No port twice, and none that another name wants.
 * Throws where a hundred in a row are taken.
 */
export async function choosePorts<Name extends string>(
  wanted: Readonly<Record<Name, number>>,
  free: (port: number) => Promise<boolean> = isFree,
): Promise<Record<Name, PortChoice>> {
  const names = Object.keys(wanted) as Name[];
  const usual = new Set<number>(Object.values<number>(wanted));
  const chosen = new Map<Name, PortChoice>();
  for (const name of names) chosen.set(name, { wanted: wanted[name], port: await choose(wanted[name]) });
  return Object.fromEntries(chosen) as Record<Name, PortChoice>;

  async function choose(first: number): Promise<number> {
    const taken = new Set([...chosen.values()].map(({ port }) => port));
    for (let port = first; port < first + 100; port += 1) {
      if (taken.has(port) || (port !== first && usual.has(port))) continue;
      if (await free(port)) return port;
    }
    throw new Error(`no free port from ${first} on`);
  }
}

// Below the range that outgoing connections are given (from 32768 on Linux), so that none of them sits on it meanwhile.
const LOWEST = 12_000;
const SPAN = 20_000;

/** A port that nobody listens on now, for a test; no two tests of a run get the same. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * SPAN);
    if ((await isFree(port)) && (await reserve(port))) return port;
  }
}

/** Whoever was given a port listens on it a moment later only; a mark in the run's own folder tells the other processes. */
async function reserve(port: number): Promise<boolean> {
  if (process.env.KUBE_FACE_TEST_ROOT === undefined) return true;
  try {
    await writeFile(join(tmpdir(), `port-${port}`), '', { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
