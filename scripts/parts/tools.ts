import { join } from 'node:path';
import { step } from '../lib/progress.mjs';
import { runQuietly } from '../lib/run.mjs';

const CHECKOUT = join(import.meta.dirname, '../..');

/** Compiles what has changed into the services' `dist`. */
export const build = () =>
  step('building', () => runQuietly(process.execPath, ['node_modules/typescript/bin/tsc', '-b'], { cwd: CHECKOUT }));

/** Makes the graphs that face recognition runs, unless they are there. */
export const buildModels = () =>
  step('making the models', () =>
    runQuietly(process.execPath, ['scripts/build-models.ts'], { cwd: join(CHECKOUT, 'services/face-recognition') }),
  );
