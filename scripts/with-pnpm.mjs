// What every `npm run NAME` goes through: installs what is missing, then runs the script on the project's own Node.js.
// Plain JavaScript on the machine's Node.js (20 or later), with nothing installed yet.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled, projectNode } from './lib/install.mjs';
import { CommandError, runInOurPlace } from './lib/run.mjs';

/** Name of the npm script to what Node.js runs. @type {Record<string, readonly string[]>} */
const SCRIPTS = {
  start: ['scripts/start.ts'],
  test: ['scripts/test.ts'],
  check: ['scripts/check.ts'],
  build: ['scripts/build.ts'],
  models: ['scripts/models.ts'],
  bench: ['bench/main.ts'],
  images: ['scripts/images.ts'],
  calibrate: ['scripts/calibrate.ts'],
  generate: ['scripts/generate.ts'],
  audit: ['scripts/audit.ts'],
  licences: ['scripts/licences.ts'],
  sbom: ['scripts/sbom.ts'],
  'test:drills': ['test/drills/main.ts'],
  'test:cluster': ['test/cluster/main.ts'],
};

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [name = '', ...args] = process.argv.slice(2);
const [file, ...given] = SCRIPTS[name] ?? [];

if (file === undefined) {
  console.error(`there is no script "${name}"; there are ${Object.keys(SCRIPTS).join(', ')}`);
  process.exit(2);
}
if (!existsSync(join(root, file))) {
  console.error(`"${name}" cannot run: ${file} is not there`);
  process.exit(2);
}
try {
  await ensureInstalled(root);
  // `source`: packages of the workspace are imported from their sources, so scripts need no build.
  process.exitCode = await runInOurPlace(projectNode(root), ['--conditions=source', file, ...given, ...args], { cwd: root });
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  console.error(`kube-face  ${error.message}`);
  process.exitCode = 1;
}
