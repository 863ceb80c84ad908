import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../scripts/parts/answers.ts';
import { hasEnded } from '../scripts/parts/process.ts';
import { CHECKOUT } from '../scripts/system/state.ts';

// Its state lies beside what a developer keeps, and its ports move where a developer's system has the usual ones.
const STATE = `test-${process.pid}`;
const FOLDER = join(CHECKOUT, '.data', STATE);
const PARTS = ['mysql', 'nsqd', 'nsqlookupd', 'face-recognition', 'image-processor', 'receiver', 'frontend'];
const FIVE_S = { timeout: 5_000, interval: 20 };

let npm: ChildProcess;
let output = '';

async function start(...args: string[]): Promise<void> {
  output = '';
  npm = spawn('npm', ['start', '--', ...args], {
    cwd: CHECKOUT,
    env: { ...process.env, KUBE_FACE_STATE: STATE },
    detached: true,
  });
  for (const stream of [npm.stdout, npm.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  await until(async () => hasEnded(npm) || output.includes('Ctrl-C stops everything'), 300_000);
  expect(output).toContain('Ctrl-C stops everything');
}

/** To npm alone, or, as a terminal does, to everything in its group. */
async function stop(signal: NodeJS.Signals, whom: 'npm' | 'group'): Promise<void> {
  const ended = once(npm, 'exit');
  process.kill(whom === 'npm' ? (npm.pid ?? 0) : -(npm.pid ?? 0), signal);
  await ended;
}

/** Processes of this start: what they are told names its folder, or they work in it. */
function processes(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const seen = `${readlinkSync(`/proc/${pid}/cwd`)} ${readFileSync(`/proc/${pid}/environ`, 'utf8')}`;
        if (!(seen.includes(FOLDER) || seen.includes(`KUBE_FACE_STATE=${STATE}`))) return [];
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() || [];
      } catch {
        return []; // ended meanwhile, or another account's
      }
    });
}

const pidOf = (part: string): number => JSON.parse(readFileSync(join(FOLDER, 'run', `${part}.pid`), 'utf8')).pid;
const rows = async () => (await fetch(/the page +(\S+)/.exec(output)?.[1] ?? '')).text();

beforeAll(() => start(), 300_000);

afterAll(async () => {
  if (!hasEnded(npm)) await stop('SIGINT', 'npm');
  rmSync(FOLDER, { recursive: true, force: true });
});

test('the page shows the sample photos with somebody known and strangers', async () => {
  const page = await rows();
  expect(page).toContain('Alice');
  expect(page).toMatch(/sample5\.jpg[\s\S]*?unknown/i);
});

test('every part is one process that is named by its command line, and the supervisor names none', () => {
  const lines = processes();
  const named = (pattern: RegExp) => lines.filter((line) => pattern.test(line)).length;
  for (const service of ['receiver', 'image-processor', 'face-recognition', 'frontend']) {
    expect(named(new RegExp(`services/${service}/`)), service).toBe(1);
  }
  expect(named(/\/nsqd /)).toBe(1);
  expect(named(/\/nsqlookupd /)).toBe(1);
  expect(named(/\/(mysqld|mariadbd) /)).toBe(1);
  const [supervisor = ''] = lines.filter((line) => line.includes('scripts/start.ts'));
  expect(supervisor).toContain('scripts/start.ts');
  expect(supervisor).not.toMatch(/services\/|nsq|mysql|mariadb/);
});

test.each(PARTS)('%s runs again within 5 s of being killed', async (part) => {
  const before = pidOf(part);
  process.kill(before, 'SIGKILL');
  await expect.poll(() => pidOf(part) !== before && existsSync(`/proc/${pidOf(part)}`), FIVE_S).toBe(true);
});

test('a second start in the same checkout says so and leaves the first alone', async () => {
  const second = spawn('npm', ['start'], { cwd: CHECKOUT, env: { ...process.env, KUBE_FACE_STATE: STATE } });
  let said = '';
  second.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [code] = await once(second, 'exit');
  expect(code).toBe(1);
  expect(said).toContain('npm start runs here already');
  expect(hasEnded(npm)).toBe(false);
});

test('Ctrl-C leaves no process behind', async () => {
  await stop('SIGINT', 'group');
  expect(npm.exitCode).toBe(0);
  expect(processes()).toEqual([]);
});

test('a start on kept state is ready within 20 s, enrols nobody twice, and shows the same rows', async () => {
  const begin = performance.now();
  await start();
  expect(performance.now() - begin).toBeLessThan(20_000);
  expect(readdirSync(join(FOLDER, 'known_people')).filter((name) => name.endsWith('.jpg'))).toHaveLength(3);
  expect((await rows()).match(/sample\d\.jpg/g)?.length).toBeGreaterThan(0);
});

test('nothing outlives npm where it is killed', async () => {
  await stop('SIGKILL', 'npm');
  await expect.poll(processes, { timeout: 20_000 }).toEqual([]);
});
