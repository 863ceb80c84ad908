// `npm run check`: format and lint without a warning, then the types of everything, tests and scripts included.
import { runInOurPlace } from './lib/run.mjs';

const COMMANDS = [
  ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings'],
  ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.check.json'],
];

for (const command of COMMANDS) {
  const code = await runInOurPlace(process.execPath, command);
  if (code !== 0) process.exitCode = code;
}
