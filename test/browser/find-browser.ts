import type { TestProject } from 'vitest/node';
import { aptInstall, findProgram } from '../../scripts/parts/machine.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The program of the browser, or empty where this machine has none. */
    browser: string;
  }
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Finds the machine's Chromium, or installs it where that can be done. Without one the tests are skipped, and say so. */
export default async function setup(project: TestProject): Promise<void> {
  const program = findProgram(NAMES) ?? ((await aptInstall(['chromium'])) ? findProgram(NAMES) : undefined);
  project.provide('browser', program ?? '');
  if (!program)
    process.stderr.write('The tests in a browser are skipped: there is no Chromium, and it cannot be installed here.\n');
}
