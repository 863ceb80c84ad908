import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Part } from '../parts/part.ts';

/** A folder of one test; it stands for the checkout. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kube-face-scripts-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const FOR_EVER = 'setInterval(() => {}, 1000)';

/** A real process that runs the JavaScript. */
export function scriptPart(folder: string, code: string): Part {
  return {
    name: 'script',
    command: process.execPath,
    args: ['-e', code],
    cwd: folder,
    env: process.env,
    isReady: async () => true,
    graceMs: 2_000,
  };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
