import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { step } from '../lib/progress.mjs';
import { runQuietly } from '../lib/run.mjs';
import { findProgram } from './machine.ts';
import type { Part } from './part.ts';

/** Services of docker/compose.yaml, profile `parts`. */
export type ComposeService = 'mysql' | 'nsqlookupd' | 'nsqd';

type Options = {
  service: ComposeService;
  checkout: string;
  /** What compose.yaml reads: ports, the account and root's password. */
  variables: Readonly<Record<string, string>> & { MYSQL_ROOT_PASSWORD: string };
  isReady: Part['isReady'];
};

/**
 * Runs a service in the local Docker, attached: one process here, which ends it when it ends. Its container is made at once, and
 * is gone once the part is stopped; its volume stays. Undefined where that cannot be.
 */
export async function dockerPart({ service, checkout, variables, isReady }: Options): Promise<Part | undefined> {
  const docker = findProgram(['docker']);
  const file = join(checkout, 'docker/compose.yaml');
  if (docker === undefined || !existsSync(file)) return undefined;
  const compose = ['compose', `--file=${file}`, `--project-name=${projectOf(checkout, variables)}`, '--profile=parts'];
  const env = { ...process.env, ...variables };
  const ask = (...args: string[]) => runQuietly(docker, [...compose, ...args], { env });
  try {
    await runQuietly(docker, ['compose', 'version']);
    await step(`getting the image of ${service}`, () => ask('pull', '--quiet', '--policy=missing', service));
    // Two that make the project's network at the same time make two, and then none can be used.
    await ask('create', service);
  } catch {
    return undefined;
  }
  return {
    name: service,
    command: docker,
    args: [...compose, 'up', '--no-color', '--no-deps', service],
    cwd: checkout,
    env,
    isReady,
    graceMs: 40_000,
    async afterStop() {
      await ask('rm', '--stop', '--force', '--volumes', service); // of volumes only those without a name
      await ask('down', service); // with the last one goes the network
    },
  };
}

/**
 * Containers of two checkouts, or of two states in one, are not to be taken for each other's; and a state that was made anew
 * could not get into a MySQL that still has the passwords of the one before.
 */
function projectOf(checkout: string, { MYSQL_ROOT_PASSWORD: password }: Options['variables']): string {
  return `kube-face-${createHash('sha256').update(`${checkout}\n${password}`).digest('hex').slice(0, 8)}`;
}
