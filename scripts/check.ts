// `npm run check`: format and lint without a warning, then the types of everything, tests and scripts included, and the build: only it reads
// the declarations that a service is compiled against.
import { runInOurPlace } from './lib/run.mjs';

const COMMANDS = [
  ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings'],
  ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.check.json'],
  ['node_modules/typescript/bin/tsc', '-p', 'services/frontend/public'], // what runs in a browser
  ['node_modules/typescript/bin/tsc', '-p', 'test/browser'],
  ['node_modules/typescript/bin/tsc', '-b'],
];

for (const command of COMMANDS) {
  const code = await runInOurPlace(process.execPath, command);
  if (code !== 0) process.exitCode = code;
}
