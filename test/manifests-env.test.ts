import { expect, test } from 'vitest';
import { type EnvVar, mainContainer, readManifests, workloadOf, workloadsOf } from './manifests.ts';
import { CONFIGS, variablesRead } from './service-configs.ts';

const workloads = workloadsOf(readManifests());
const envOf = (app: string): EnvVar[] => mainContainer(workloadOf(workloads, app)).env ?? [];

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
