import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { step } from './progress.mjs';
import { CommandError, runQuietly } from './run.mjs';

/**
 * The Node.js that the project runs on: it comes with the dependencies.
 * @param {string} root
 */
export const projectNode = (root) => join(root, 'node_modules/node/bin/node');

/**
 * Makes sure that node_modules holds what the lockfile says. Costs a few milliseconds where nothing has changed since.
 * @param {string} root
 */
export async function ensureInstalled(root) {
  const marker = join(root, 'node_modules/.installed');
  const wanted = fingerprint(root);
  if (existsSync(projectNode(root)) && existsSync(marker) && readFileSync(marker, 'utf8') === wanted) return;
  await step('installing dependencies', async () => {
    const { command, args } = await findPnpm(root);
    await runQuietly(command, [...args, 'install', '--frozen-lockfile'], { cwd: root });
  });
  writeFileSync(marker, wanted);
}

/**
 * What the state of node_modules follows from.
 * @param {string} root
 */
function fingerprint(root) {
  const services = readdirSync(join(root, 'services')).map((name) => join('services', name, 'package.json'));
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`);
  for (const file of ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', ...services.sort()]) {
    if (existsSync(join(root, file))) hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  }
  return hash.digest('hex');
}

/**
 * The pnpm that package.json names: the machine's own where it is exactly that one, otherwise by npx.
 * @param {string} root
 */
export async function findPnpm(root) {
  /** @type {{ packageManager: string }} */
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  // The fence that corepack puts in pnpm's place would download, and ask before it does.
  const env = { ...process.env, COREPACK_ENABLE_NETWORK: '0', COREPACK_ENABLE_DOWNLOAD_PROMPT: '0' };
  try {
    const version = await runQuietly('pnpm', ['--version'], { env, timeoutMs: 10_000 });
    if (packageManager === `pnpm@${version.trim().split('\n').at(-1)}`) return { command: 'pnpm', args: [] };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
  }
  return { command: 'npx', args: ['--yes', packageManager] };
}
