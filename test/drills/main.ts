// `npm run test:drills [-- --short] [-- --times N] [-- --report FILE]`: every drill (or the short set), N times over; stops at
// the first round with a failure. Closes with `N passed, N failed`, and writes the counts as JSON into FILE.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildModels } from '../../scripts/parts/tools.ts';
import { tempFolder } from '../harness/temp-folder.ts';

const { values } = parseArgs({
  options: { short: { type: 'boolean', default: false }, times: { type: 'string', default: '1' }, report: { type: 'string' } },
});

type Counts = { numPassedTests: number; numFailedTests: number; success: boolean };

/** One round, in processes of its own. Without a report vitest itself has failed, which counts as one failure. */
async function round(folder: string): Promise<{ passed: number; failed: number }> {
  const report = join(folder, 'report.json');
  rmSync(report, { force: true });
  const args = ['run', '--project=drills', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', ...args], {
    stdio: 'inherit',
    env: { ...process.env, ...(values.short && { KUBE_FACE_DRILLS: 'short' }) },
  });
  const [code] = await once(child, 'exit');
  try {
    const { numPassedTests, numFailedTests, success } = JSON.parse(readFileSync(report, 'utf8')) as Counts;
    const failed = success && code === 0 ? numFailedTests : Math.max(1, numFailedTests);
    return { passed: numPassedTests, failed };
  } catch {
    return { passed: 0, failed: 1 };
  }
}

await buildModels();
const folder = tempFolder('drills-report');
let passed = 0;
let failed = 0;
for (let time = 0; time < Number(values.times) && failed === 0; time += 1) {
  const counts = await round(folder);
  passed += counts.passed;
  failed += counts.failed;
}
if (values.report) writeFileSync(values.report, JSON.stringify({ numPassedTests: passed, numFailedTests: failed }));
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
