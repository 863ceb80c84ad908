import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { dockerPart } from '../parts/docker.ts';
import { testFolder } from './fakes.ts';

afterEach(() => void vi.unstubAllEnvs());

/** A checkout, and a machine whose `docker` notes what it is asked and fails where the words begin with `failing`. */
function machine(failing: string) {
  const checkout = testFolder();
  const asked = join(checkout, 'asked');
  mkdirSync(join(checkout, 'docker'));
  writeFileSync(join(checkout, 'docker/compose.yaml'), '');
  const script = `#!/bin/sh\necho "$MYSQL_PORT $*" >> ${asked}\ncase "$*" in *"${failing}"*) exit 1;; esac\n`;
  writeFileSync(join(checkout, 'docker/docker'), script, { mode: 0o755 });
  vi.stubEnv('PATH', `${join(checkout, 'docker')}:${process.env.PATH}`);
  const options = {
    checkout,
    services: ['nsqlookupd', 'nsqd'],
    variables: { MYSQL_PORT: '3307' },
    isReady: async () => true,
  } as const;
  return { options, asked: () => readFileSync(asked, 'utf8') };
}

test('services run attached, in a project of the checkout, and compose.yaml is told the ports', async () => {
  const { options, asked } = machine('nothing fails');
  const part = await dockerPart(options);
  expect(asked()).toMatch(/pull --quiet --policy=missing nsqlookupd nsqd\n/);
  execFileSync(part?.command ?? '', part?.args, { env: part?.env });
  expect(asked()).toMatch(
    /\n3307 compose --file=\S+\/docker\/compose\.yaml --project-name=kube-face-[0-9a-f]{8} --profile=parts up --no-color --no-deps nsqlookupd nsqd\n$/,
  );
});

test.each([
  ['the compose plugin is not there', 'compose version'],
  ['an image can be neither found nor pulled', ' pull '],
])('there is no such part where %s', async (_, failing) => {
  expect(await dockerPart(machine(failing).options)).toBeUndefined();
});
