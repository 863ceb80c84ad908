import { existsSync } from 'node:fs';
import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { step } from '../lib/progress.mjs';
import { CommandError, runQuietly } from '../lib/run.mjs';
import { aptInstall, findProgram } from './machine.ts';

export type NsqPrograms = { nsqd: string; nsqlookupd: string };

const MODULE = join(import.meta.dirname, '../nsq');
const APPS = ['github.com/nsqio/nsq/apps/nsqd', 'github.com/nsqio/nsq/apps/nsqlookupd'];

/** The machine's nsqd and nsqlookupd, else ones built with Go into `folder`; undefined where neither can be had. */
export async function provideNsqPrograms(folder: string): Promise<NsqPrograms | undefined> {
  const own = pair(findProgram(['nsqd']), findProgram(['nsqlookupd']));
  if (own) return own;
  const built = pair(existing(join(folder, 'nsqd')), existing(join(folder, 'nsqlookupd')));
  if (built) return built;
  const go = findProgram(['go']) ?? (await installGo());
  if (go === undefined) return undefined;
  try {
    await step('building nsqd with Go', () => build(go, folder));
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    console.error(error.message);
    return undefined;
  }
  return { nsqd: join(folder, 'nsqd'), nsqlookupd: join(folder, 'nsqlookupd') };
}

async function installGo(): Promise<string | undefined> {
  const installed = await step('installing Go', () => aptInstall(['golang-go']));
  return installed ? findProgram(['go']) : undefined;
}

async function build(go: string, folder: string): Promise<void> {
  const work = join(folder, `build-${process.pid}`);
  try {
    await cp(MODULE, work, { recursive: true });
    const env = { ...process.env, GOWORK: 'off', GOTOOLCHAIN: 'local', CGO_ENABLED: '0' };
    await runQuietly(go, ['build', '-mod=readonly', '-o', `${work}/out/`, ...APPS], { cwd: work, env });
    await mkdir(folder, { recursive: true });
    for (const name of ['nsqlookupd', 'nsqd']) await rename(join(work, 'out', name), join(folder, name));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const existing = (file: string) => (existsSync(file) ? file : undefined);

function pair(nsqd: string | undefined, nsqlookupd: string | undefined): NsqPrograms | undefined {
  return nsqd !== undefined && nsqlookupd !== undefined ? { nsqd, nsqlookupd } : undefined;
}
