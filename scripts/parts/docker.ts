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
  services: readonly ComposeService[];
  checkout: string;
  /** What compose.yaml reads: ports and the account. */
  variables: Readonly<Record<string, string>>;
  isReady: Part['isReady'];
};

/** Runs services in the local Docker, attached: one process here, which ends them when it ends. Undefined where that cannot be. */
export async function dockerPart({ services, checkout, variables, isReady }: Options): Promise<Part | undefined> {
  const docker = findProgram(['docker']);
  const file = join(checkout, 'docker/compose.yaml');
  if (docker === undefined || !existsSync(file)) return undefined;
  // Containers of two checkouts are not to be taken for each other's.
  const project = `kube-face-${createHash('sha256').update(checkout).digest('hex').slice(0, 8)}`;
  const compose = ['compose', `--file=${file}`, `--project-name=${project}`, '--profile=parts'];
  const env = { ...process.env, ...variables };
  try {
    await runQuietly(docker, ['compose', 'version']);
    await step('getting images', () =>
      runQuietly(docker, [...compose, 'pull', '--quiet', '--policy=missing', ...services], { env }),
    );
  } catch {
    return undefined;
  }
  return {
    name: services.join('-'),
    command: docker,
    args: [...compose, 'up', '--no-color', '--no-deps', ...services],
    cwd: checkout,
    env,
    isReady,
    graceMs: 40_000,
  };
}
