// `npm test [-- what vitest takes]`: the projects of vitest.config.ts that the first arguments name, up to one that names none;
// without a name all that need no more than this machine.
import { runInOurPlace } from './lib/run.mjs';
import { buildModels } from './parts/tools.ts';

const USUAL = ['unit', 'integration', 'browser'];
const PROJECTS = new Set([...USUAL, 'drills']);

/** What vitest is told. */
export function vitestArgs(args: readonly string[]): string[] {
  const end = args.findIndex((arg) => !PROJECTS.has(arg));
  const named = end === -1 ? args : args.slice(0, end);
  const projects = named.length > 0 ? named : USUAL;
  return [...projects.map((project) => `--project=${project}`), ...args.slice(named.length)];
}

if (import.meta.main) {
  await buildModels();
  const args = vitestArgs(process.argv.slice(2));
  process.exitCode = await runInOurPlace(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...args]);
}
