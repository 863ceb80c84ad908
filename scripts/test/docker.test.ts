import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { dockerPart } from '../parts/docker.ts';
import { testFolder } from './fakes.ts';

afterEach(() => void vi.unstubAllEnvs());

/** A checkout, and a machine whose `docker` notes what it is asked and fails where the words begin with `failing`. */
function machine(failing = 'nothing fails') {
  const checkout = testFolder();
  const asked = join(checkout, 'asked');
  mkdirSync(join(checkout, 'docker'));
  writeFileSync(join(checkout, 'docker/compose.yaml'), '');
  const script = `#!/bin/sh\necho "$MYSQL_PORT $*" >> ${asked}\ncase "$*" in *"${failing}"*) exit 1;; esac\n`;
  writeFileSync(join(checkout, 'docker/docker'), script, { mode: 0o755 });
  vi.stubEnv('PATH', `${join(checkout, 'docker')}:${process.env.PATH}`);
  const options = {
    checkout,
    service: 'nsqd',
    variables: { MYSQL_PORT: '3307', MYSQL_ROOT_PASSWORD: 'a' },
    isReady: async () => true,
  } as const;
  /** What it was asked, in order, but for what stands in all. */
  function words(): string[] {
    const lines = readFileSync(asked, 'utf8').trimEnd().split('\n');
    return lines.map((line) => line.replace(/ --file=\S+ --project-name=\S+ --profile=parts/, ''));
  }
  return { options, words, asked: () => readFileSync(asked, 'utf8') };
}

test('a service is made, runs attached, and its container goes with it', async () => {
  const { options, words } = machine();
  const part = await dockerPart(options);
  execFileSync(part?.command ?? '', part?.args, { env: part?.env });
  await part?.afterStop?.();
  expect(words()).toEqual([
    expect.stringMatching(/ compose version$/),
    '3307 compose pull --quiet --policy=missing nsqd',
    '3307 compose create nsqd',
    '3307 compose up --no-color --no-deps nsqd',
    '3307 compose rm --stop --force --volumes nsqd',
    '3307 compose down nsqd',
  ]);
});

test('its project is that of the checkout and of the passwords that its MySQL was made with', async () => {
  const { options, asked } = machine();
  const parts = [await dockerPart(options), await dockerPart(options)];
  const other = { ...options, variables: { ...options.variables, MYSQL_ROOT_PASSWORD: 'b' } };
  parts.push(await dockerPart(other));
  const [first, again, anew] = parts.map((part) => part?.args.find((arg) => arg.startsWith('--project-name=')));
  expect(first).toMatch(/^--project-name=kube-face-[0-9a-f]{8}$/);
  expect(again).toBe(first);
  expect(anew).not.toBe(first);
  expect(asked()).toContain(`--file=${join(options.checkout, 'docker/compose.yaml')} ${first}`);
});

test.each([
  ['the compose plugin is not there', 'compose version'],
  ['an image can be neither found nor pulled', ' pull '],
  ['no container can be made', ' create '],
])('there is no such part where %s', async (_, failing) => {
  expect(await dockerPart(machine(failing).options)).toBeUndefined();
});
