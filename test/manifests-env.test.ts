import { ConfigError } from '@kube-face/shared-lib/env';
import { expect, test } from 'vitest';
import { loadConfig as faceRecognition } from '../services/face-recognition/src/config.ts';
import { loadConfig as frontend } from '../services/frontend/src/config.ts';
import { loadConfig as imageProcessor } from '../services/image-processor/src/config.ts';
import { loadRedeemerConfig as redeemer } from '../services/image-processor/src/redeemer-config.ts';
import { loadConfig as receiver } from '../services/receiver/src/config.ts';
import { type EnvVar, mainContainer, readManifests, type Workload, workloadsOf } from './manifests.ts';

type Env = Readonly<Record<string, string | undefined>>;

const CONFIGS: Record<string, (env: Env) => unknown> = {
  receiver,
  'image-processor': imageProcessor,
  'face-recog': (env) => faceRecognition(env, 2),
  frontend,
  redeemer,
};

const workloads = workloadsOf(readManifests());
const envOf = (app: string): EnvVar[] => mainContainer(workloads.find(({ labels }) => labels.app === app) as Workload).env ?? [];

/** The names of the variables that a service asks for while it reads its configuration. */
function variablesRead(load: (env: Env) => unknown): Set<string> {
  const names = new Set<string>();
  const env = new Proxy<Env>(
    {},
    {
      get(_target, name) {
        names.add(String(name));
        return undefined;
      },
    },
  );
  try {
    load(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error; // variables without a default are missing, as they should be
  }
  return names;
}

test.each(Object.entries(CONFIGS))('%s gets exactly the variables that it reads', (app, load) => {
  expect(new Set(envOf(app).map(({ name }) => name))).toEqual(variablesRead(load));
});

test.each(Object.entries(CONFIGS))('%s takes the values that its manifest gives', (app, load) => {
  const env = Object.fromEntries(envOf(app).map(({ name, value, valueFrom }) => [name, valueFrom ? 'kube_face:secret' : value]));
  expect(() => load(env)).not.toThrow();
});

test('a container listens where its ports say', () => {
  const PORTS = { RECEIVER_PORT: 'http', FRONTEND_PORT: 'http', METRICS_PORT: 'metrics' };
  const seen: string[] = [];
  for (const { name: workload, pod } of workloads) {
    for (const container of pod.containers) {
      for (const { name, value } of container.env ?? []) {
        const port = PORTS[name as keyof typeof PORTS];
        if (port === undefined) continue;
        expect(container.ports, `${workload} ${name}`).toContainEqual({ name: port, containerPort: Number(value) });
        seen.push(name);
      }
    }
  }
  expect(seen).toHaveLength(6);
});
