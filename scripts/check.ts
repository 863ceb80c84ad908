// `npm run check`: format and lint without a warning, then the types of everything, tests and scripts included.
import { runInOurPlace } from './lib/run.mjs';

const COMMANDS = [
  ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings'],
  ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.check.json'],
  ['node_modules/typescript/bin/tsc', '-p', 'services/frontend/public'], // what runs in a browser
  ['node_modules/typescript/bin/tsc', '-p', 'test/browser'],
];

for (const command of COMMANDS) {
  const code = await runInOurPlace(process.execPath, command);
  if (code !== 0) process.exitCode = code;
}
