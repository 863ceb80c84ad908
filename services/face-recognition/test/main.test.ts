import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { temporaryFolder } from './fakes.ts';
import { connect, UNTIL } from './serve.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** The process itself, on free ports, with what it says and how it ends. */
async function start(variables: Record<string, string> = {}) {
  const folder = await temporaryFolder();
  const env = {
    PATH: process.env.PATH,
    GRPC_ADDRESS: '127.0.0.1:0',
    METRICS_PORT: '0',
    WORKERS: '1',
    KNOWN_PEOPLE: join(folder, 'known'),
    UNKNOWN_PEOPLE: join(folder, 'unknown'),
    ...variables,
  };
  const child = spawn(process.execPath, ['--conditions=source', MAIN], { cwd: folder, env });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (said += data));
  return { child, ended, said: () => said };
}

test('comes up with folders that are not there yet, serves, and goes when it is told to', { timeout: 60_000 }, async () => {
  const { child, ended, said } = await start();
  await vi.waitFor(() => expect(said()).toContain('gallery is loaded'), { ...UNTIL, timeout: 50_000 });
  const port = /"port":(\d+)/.exec(said())?.[1];
  const { call } = connect('HealthCheck', `127.0.0.1:${port}`);
  expect(await call('healthCheck', {})).toEqual({ ready: true });
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
});

test.each([
  ['a model that is not there', { MODEL_DIR: '/nowhere' }, /cannot go on/],
  [
    'variables that make no sense',
    { MATCH_THRESHOLD: 'near', WORKERS: 'all' },
    /MATCH_THRESHOLD must be .*WORKERS must be|WORKERS must be .*MATCH_THRESHOLD must be/,
  ],
])('refuses to start with %s, and says so', async (_, variables, sentence) => {
  const { ended, said } = await start(variables);
  expect(await ended).toBe(1);
  expect(said()).toMatch(sentence);
});
