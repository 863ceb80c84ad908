import { mkdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Part } from '../parts/part.ts';
import { createPidFiles } from '../parts/pid-files.ts';
import { launch } from '../parts/process.ts';
import { FOR_EVER, isAlive, scriptPart, testFolder } from './fakes.ts';

async function start(part: Part): Promise<number> {
  const child = await launch(part, 'pipe');
  onTestFinished(() => void child.kill('SIGKILL'));
  const pid = child.pid ?? 0;
  await new Promise((resolve) => child.stdout?.once('data', resolve)); // from now on its command line is its own
  return pid;
}

const speaking = (code: string) => `console.log('here'); ${code}`;

test('a process that outlived its supervisor is ended by the next start', async () => {
  const checkout = testFolder();
  const part = scriptPart(checkout, speaking(FOR_EVER));
  const pid = await start(part);
  const pids = join(checkout, 'run');
  await createPidFiles(pids, checkout).write('script', pid, [part.command, ...part.args]);

  expect(await createPidFiles(pids, checkout).endStale(5_000)).toEqual(['script']);

  await expect.poll(() => isAlive(pid)).toBe(false);
  expect(await readdir(pids)).toEqual([]);
});

test('one that does not listen to SIGTERM is ended all the same', async () => {
  const checkout = testFolder();
  const part = scriptPart(checkout, `process.on('SIGTERM', () => {}); ${speaking(FOR_EVER)}`);
  const pid = await start(part);
  const pidFiles = createPidFiles(join(checkout, 'run'), checkout);
  await pidFiles.write('script', pid, [part.command, ...part.args]);

  await pidFiles.endStale(300);

  await expect.poll(() => isAlive(pid)).toBe(false);
});

test('a program that has got the number since is left alone', async () => {
  const checkout = testFolder();
  const part = scriptPart(checkout, speaking(FOR_EVER));
  const pid = await start(part);
  const pidFiles = createPidFiles(join(checkout, 'run'), checkout);
  await pidFiles.write('script', pid, ['/usr/sbin/mariadbd', '--port=3306']);

  expect(await pidFiles.endStale(5_000)).toEqual([]);

  expect(isAlive(pid)).toBe(true);
});

test('the same program of another checkout is left alone', async () => {
  const parent = testFolder();
  const [checkout, other] = [join(parent, 'one'), join(parent, 'one-more')]; // one is the beginning of the other
  mkdirSync(other);
  const part = scriptPart(other, speaking(FOR_EVER));
  const pid = await start(part);
  const pidFiles = createPidFiles(join(checkout, 'run'), checkout);
  await pidFiles.write('script', pid, [part.command, ...part.args]);

  expect(await pidFiles.endStale(5_000)).toEqual([]);

  expect(isAlive(pid)).toBe(true);
});
