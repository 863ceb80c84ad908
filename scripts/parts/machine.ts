import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runQuietly } from '../lib/run.mjs';

// Servers stand in sbin, which an ordinary account's PATH leaves out; the last is where Go's own archive is unpacked to.
const ALSO = ['/usr/sbin', '/usr/local/sbin', '/usr/libexec', '/usr/local/mysql/bin', '/usr/local/go/bin'];

/** The first of the programs that this machine has, as a whole path. */
export function findProgram(names: readonly string[], env: NodeJS.ProcessEnv = process.env): string | undefined {
  const folders = [...(env.PATH ?? '').split(delimiter), ...ALSO].filter((folder) => folder !== '');
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

const isRoot = () => process.getuid?.() === 0;

/** Servers refuse to run as root unless they are told to; files they make must be ours, wherever the checkout lies. */
export const userArgs = (): string[] => (isRoot() ? ['--user=root'] : []);

let listsUpdated: Promise<unknown> | undefined;

/**
 * Installs packages, where this machine has apt and we may; the first of the choices that apt knows. They must be packages of
 * bare programs: those that bring a system service would start it, and nothing of ours does. True where it has.
 */
export async function aptInstall(...choices: (readonly string[])[]): Promise<boolean> {
  const apt = findProgram(['apt-get']);
  if (!isRoot() || apt === undefined || !existsSync('/etc/apt')) return false;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  listsUpdated ??= runQuietly(apt, ['update', '-q'], { env }).catch(() => {}); // an old list may still do
  await listsUpdated;
  for (const packages of choices) {
    try {
      await runQuietly(apt, ['install', '-y', '-q', '--no-install-recommends', ...packages], { env });
      return true;
    } catch {
      // Unknown here, or not to be had: the next choice.
    }
  }
  return false;
}

let dieWithUs: Promise<string[]> | undefined;

/**
 * What stands before a program that must not outlive us, even where we are killed without a chance to stop it: Linux sends it
 * SIGTERM then. `setpriv` becomes the program, so there is no process in between. Empty where the machine cannot.
 */
export function diesWithUs(): Promise<string[]> {
  dieWithUs ??= probe();
  return dieWithUs;
}

async function probe(): Promise<string[]> {
  const setpriv = findProgram(['setpriv']);
  if (setpriv === undefined) return [];
  const prefix = [setpriv, '--pdeathsig', 'TERM', '--'];
  return runQuietly(setpriv, [...prefix.slice(1), 'true']).then(
    () => prefix,
    () => [],
  );
}
