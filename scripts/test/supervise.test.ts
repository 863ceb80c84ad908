import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Part } from '../parts/part.ts';
import { createPidFiles } from '../parts/pid-files.ts';
import { repeat, supervise } from '../parts/supervise.ts';
import { FOR_EVER, isAlive, scriptPart, testFolder } from './fakes.ts';

const FIVE_S = { timeout: 5_000 };
const TEN_S = { timeout: 10_000 };

function optionsFor(part: Part) {
  const lines: string[] = [];
  const logFile = join(part.cwd, 'logs/script.log');
  const log = () => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '');
  const pidFiles = createPidFiles(join(part.cwd, 'run'), part.cwd);
  return { options: { part, logFile, pidFiles, say: (line: string) => void lines.push(line) }, lines, log };
}

test('a part that is killed runs again within 5 s, as another process', async () => {
  const { options, lines, log } = optionsFor(scriptPart(testFolder(), `console.log('here', process.pid); ${FOR_EVER}`));
  const supervised = supervise(options);
  onTestFinished(() => supervised.stop());
  await expect.poll(log, TEN_S).toContain('here');
  const first = supervised.pid ?? 0;

  process.kill(first, 'SIGKILL');

  await expect.poll(() => log().match(/here/g)?.length, FIVE_S).toBe(2);
  expect(supervised.pid).not.toBe(first);
  expect(isAlive(supervised.pid ?? 0)).toBe(true);
  expect(lines).toEqual([expect.stringContaining('script ended (SIGKILL); starting it again')]);
});

test('a part that ends at once is started again and again, ever more slowly', async () => {
  const { options, log } = optionsFor(scriptPart(testFolder(), "console.log('here', Date.now())"));
  const supervised = supervise(options);
  onTestFinished(() => supervised.stop());
  await expect.poll(() => log().match(/here/g)?.length ?? 0, TEN_S).toBeGreaterThanOrEqual(5);
  const times = [...log().matchAll(/here (\d+)/g)].map(([, time]) => Number(time));
  const [first = 0, second = 0, , fourth = 0, fifth = 0] = times;
  expect(fifth - fourth).toBeGreaterThanOrEqual(800); // 0.1 s, 0.2, 0.4, 0.8
  expect(second - first).toBeLessThan(fifth - fourth);
});

test('a program that is not there is said and tried again, and can be stopped', async () => {
  const { options, lines } = optionsFor({ ...scriptPart(testFolder(), ''), command: '/nowhere/nsqd' });
  const supervised = supervise(options);
  await expect.poll(() => lines.length, TEN_S).toBeGreaterThanOrEqual(2);
  await supervised.stop();
  expect(supervised.pid === undefined || !isAlive(supervised.pid)).toBe(true);
});

test('stopping waits until the part has ended, and it stays ended', async () => {
  const code = `process.on('SIGTERM', () => setTimeout(() => { console.log('bye'); process.exit(0); }, 100)); console.log('here'); ${FOR_EVER}`;
  const part = scriptPart(testFolder(), code);
  const { options, lines, log } = optionsFor(part);
  const supervised = supervise(options);
  await expect.poll(log, TEN_S).toContain('here');
  const pid = supervised.pid ?? 0;

  await supervised.stop();

  expect(isAlive(pid)).toBe(false);
  expect(log()).toContain('bye');
  expect(lines).toEqual([]);
  expect(existsSync(join(part.cwd, 'run/script.pid'))).toBe(false);
});

test('a part that does not listen to SIGTERM is ended after its grace', async () => {
  const part = { ...scriptPart(testFolder(), `process.on('SIGTERM', () => {}); console.log('here'); ${FOR_EVER}`), graceMs: 200 };
  const { options, log } = optionsFor(part);
  const supervised = supervise(options);
  await expect.poll(log, TEN_S).toContain('here');
  const pid = supervised.pid ?? 0;

  await supervised.stop();

  expect(isAlive(pid)).toBe(false);
});

test('a program that ends by itself is run again after its time, and says so only where it failed', async () => {
  const { options, lines, log } = optionsFor(scriptPart(testFolder(), "console.log('here')"));
  const supervised = repeat({ ...options, everyMs: 20 });
  onTestFinished(() => supervised.stop());
  await expect.poll(() => log().match(/here/g)?.length ?? 0, TEN_S).toBeGreaterThanOrEqual(2);
  expect(lines).toEqual([]);
});

test('parts end with a supervisor that is killed', async () => {
  const folder = testFolder();
  const modules = new URL('../parts/', import.meta.url).href;
  const supervisor = spawn(
    process.execPath,
    [
      '--conditions=source',
      '--input-type=module',
      '-e',
      `const { supervise } = await import('${modules}supervise.ts');
       const { createPidFiles } = await import('${modules}pid-files.ts');
       const part = { name: 'script', command: process.execPath, args: ['-e', ${JSON.stringify(FOR_EVER)}], cwd: ${JSON.stringify(folder)},
         env: process.env, isReady: async () => true, graceMs: 1000 };
       const options = { part, logFile: ${JSON.stringify(join(folder, 'log'))}, pidFiles: createPidFiles(${JSON.stringify(join(folder, 'run'))}, '/'), say() {} };
       const supervised = supervise(options);
       ${FOR_EVER}`,
    ],
    { stdio: 'inherit' },
  );
  onTestFinished(() => void supervisor.kill('SIGKILL'));
  const note = join(folder, 'run/script.pid');
  const commandLine = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  const pidOf = () => (existsSync(note) ? (JSON.parse(readFileSync(note, 'utf8') || '{}').pid ?? 0) : 0);
  await expect.poll(pidOf, TEN_S).toBeGreaterThan(0);
  const pid: number = pidOf();
  await expect.poll(() => commandLine(pid), TEN_S).toContain(FOR_EVER);
  await expect.poll(() => commandLine(pid), TEN_S).not.toContain('setpriv');

  supervisor.kill('SIGKILL');

  await expect.poll(() => isAlive(pid), FIVE_S).toBe(false);
});
