// `npm test [-- what vitest takes]`: the projects of vitest.config.ts that the first arguments name, up to one that names none.
import { runInOurPlace } from './lib/run.mjs';
import { buildModels } from './parts/tools.ts';

const PROJECTS = ['unit', 'integration', 'browser', 'drills'];

const args = process.argv.slice(2);
const end = args.findIndex((arg) => !PROJECTS.includes(arg));
const projects = end === -1 ? args : args.slice(0, end);
await buildModels();
process.exitCode = await runInOurPlace(process.execPath, [
  'node_modules/vitest/vitest.mjs',
  'run',
  ...projects.map((project) => `--project=${project}`),
  ...args.slice(projects.length),
]);
