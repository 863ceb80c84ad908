import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MARK = 'KUBE_FACE_TEST_ROOT';

/**
 * Whatever the run's tests put into the folder of temporary files goes into one of the run, which is gone at its end: a process
 * that runs a test file is ended from outside, and cannot clear up after itself.
 */
export default function setup(): void {
  if (process.env[MARK] !== undefined) return; // another project of the same run came first
  const root = mkdtempSync(join(tmpdir(), 'kube-face-tests-'));
  chmodSync(root, 0o755); // some tests, and MySQL, are another user in between
  process.env[MARK] = root;
  process.env.TMPDIR = root;
  process.once('exit', () => rmSync(root, { recursive: true, force: true, maxRetries: 5 }));
}
