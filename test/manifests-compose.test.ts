import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { mainContainer, readManifests, workloadsOf } from './manifests.ts';
import { CONFIGS, variablesRead } from './service-configs.ts';

type Service = {
  image: string;
  profiles: string[];
  environment?: Record<string, string | number>;
  read_only?: boolean;
  cap_drop: string[];
  security_opt: string[];
  ports?: string[];
  volumes?: string[];
};

const text = readFileSync(new URL('../docker/compose.yaml', import.meta.url), 'utf8');
const { services, volumes } = parse(text, { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, null>;
};
const containers = workloadsOf(readManifests()).map(mainContainer);

/** Names of services here, to the label of the same in the cluster. */
const OURS = {
  receiver: 'receiver',
  'image-processor': 'image-processor',
  'face-recognition': 'face-recog',
  frontend: 'frontend',
  redeemer: 'redeemer',
};

test.each(Object.entries(OURS))('%s is told nothing that it does not read, and starts on what it is told', (name, app) => {
  const load = CONFIGS[app] as (typeof CONFIGS)[string];
  const told = Object.entries(services[name]?.environment ?? {});
  const read = variablesRead(load);
  expect(told.filter(([variable]) => !read.has(variable))).toEqual([]);
  // `${NAME:-default}` as compose fills it in, with nothing else told.
  const filled = told.map(([variable, value]) => [variable, String(value).replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1')]);
  expect(() => load(Object.fromEntries(filled))).not.toThrow();
});

test.each(Object.entries(OURS))('%s runs the image of the manifests, unable to write or to gain rights', (name, app) => {
  expect(services[name]).toMatchObject({
    image: containers.find((container) => container.name === app)?.image,
    profiles: ['all'],
    read_only: true,
  });
});

test('no service holds a capability, and every port is open to this machine only', () => {
  for (const [name, { cap_drop, security_opt, ports = [] }] of Object.entries(services)) {
    expect([cap_drop, security_opt], name).toEqual([['ALL'], ['no-new-privileges:true']]);
    expect(
      ports.filter((port) => !port.startsWith('127.0.0.1:')),
      name,
    ).toEqual([]);
  }
});

test('photos, rows and messages are on volumes that stay', () => {
  const kept = Object.values(services).flatMap((service) => service.volumes ?? []);
  const named = kept.map((volume) => volume.split(':')[0]).filter((name) => !name?.startsWith('.'));
  expect(new Set(named)).toEqual(new Set(Object.keys(volumes)));
  expect(services['receiver-nsqd']?.volumes).toContain('receiver_nsqd_data:/data');
});
