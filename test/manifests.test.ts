import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { mysqlInit } from '../scripts/mysql-init.ts';
import { tempFolder } from './harness/temp-folder.ts';
import { schemaFaults } from './kubernetes-schema.ts';
import {
  containersOf,
  type Manifest,
  mainContainer,
  manifestOf,
  namesOf,
  readManifests,
  secretValues,
  type Workload,
  workloadOf,
  workloadsOf,
} from './manifests.ts';

const manifests = readManifests();
const autoscalers = readManifests('autoscale');
const everything = [...manifests, ...autoscalers];
const workloads = workloadsOf(manifests);
const deployments = workloads.filter(({ manifest }) => manifest.kind === 'Deployment');

const one = (kind: string, name: string) => manifestOf(manifests, kind, name);
const byApp = (app: string) => workloadOf(workloads, app);

test.each(everything.map((manifest) => [`${manifest.file} ${manifest.kind} ${manifest.metadata.name}`, manifest] as const))(
  '%s is what the API server accepts',
  async (_name, { file: _file, ...object }) => {
    expect(await schemaFaults(object)).toEqual([]);
  },
);

test('the schema check sees a wrong type, a missing field and a misspelt one', async () => {
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'x' } };
  const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'x', redinessProbe: {} }] } };
  const faults = await schemaFaults({ ...deployment, spec: { replicas: 'two', template } } as typeof deployment);
  expect(faults).toEqual(
    expect.arrayContaining([
      expect.stringContaining('/spec/replicas: type'),
      expect.stringContaining('"missingProperty":"selector"'),
      '/spec/template/spec/containers/0/redinessProbe: unknown field',
    ]),
  );
});

test('the parts have the names that the article gave them', () => {
  expect(namesOf(manifests, 'Deployment')).toEqual(
    new Set(['face-recog', 'frontend', 'image-processor-deployment', 'mysql', 'nsqlookup', 'receiver-deployment']),
  );
  expect(namesOf(manifests, 'Service')).toEqual(
    new Set(['face-recog', 'frontend', 'mysql', 'nsqd', 'nsqlookup', 'receiver-service']),
  );
  expect(namesOf(manifests, 'CronJob')).toEqual(new Set(['redeemer']));
  expect(namesOf(manifests, 'PersistentVolumeClaim')).toEqual(new Set(['known-people', 'mysql-data', 'unknown-people']));
  expect(secretValues(one('Secret', 'kube-face-secret'))).toEqual({
    mysql_password: expect.any(String),
    mysql_userpassword: expect.stringMatching(/^\w+:./),
  });
});

test('browsers and curl come in by two fixed node ports, and nothing else leaves the cluster', () => {
  const services = manifests.filter(({ kind }) => kind === 'Service');
  const nodePorts = services.flatMap(({ spec }) => (spec.ports ?? []).flatMap(({ nodePort }) => nodePort ?? []));
  expect(new Set(nodePorts)).toEqual(new Set([30081, 30251]));
  for (const { spec, metadata } of services) {
    if (['receiver-service', 'frontend'].includes(metadata.name)) expect(spec.type).toBe('NodePort');
    else expect(spec.clusterIP, metadata.name).toBe('None');
  }
});

test('every service finds pods, and its ports are theirs', () => {
  for (const { spec, metadata } of manifests.filter(({ kind }) => kind === 'Service')) {
    const ports = containersOf(byApp(spec.selector?.app as string)).flatMap((container) => container.ports ?? []);
    for (const { port, targetPort = port } of spec.ports ?? []) {
      expect(
        ports.some(({ name, containerPort }) => targetPort === name || targetPort === containerPort),
        metadata.name,
      ).toBe(true);
    }
  }
});

test('no object names a namespace, and no address a cluster domain', () => {
  expect(everything.filter(({ metadata }) => metadata.namespace !== undefined)).toEqual([]);
  expect(JSON.stringify(everything)).not.toMatch(/\.svc\b|cluster\.local/);
});

test('an update leaves nobody without a server, and one MySQL at a time has the data', () => {
  for (const { name, manifest } of deployments) {
    if (name === 'mysql') expect(manifest.spec.strategy).toEqual({ type: 'Recreate' });
    else expect(manifest.spec.strategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } });
  }
});

test('disruption budgets stand where two pods do, and only there', () => {
  const budgeted = manifests
    .filter(({ kind }) => kind === 'PodDisruptionBudget')
    .map(({ spec }) => spec.selector?.matchLabels?.app);
  const several = deployments.filter(({ manifest }) => (manifest.spec.replicas ?? 1) > 1).map(({ labels }) => labels.app);
  expect(new Set(budgeted)).toEqual(new Set(several));
  expect(several).toContain('receiver');
});

test('the redeemer runs every minute, never twice at once', () => {
  expect(one('CronJob', 'redeemer').spec).toMatchObject({ schedule: '* * * * *', concurrencyPolicy: 'Forbid' });
  expect(mainContainer(byApp('redeemer')).command).toEqual(['node', 'services/image-processor/dist/redeemer.js']);
});

test('the autoscalers stand aside, and point at what exists', () => {
  expect(namesOf(manifests, 'HorizontalPodAutoscaler')).toEqual(new Set());
  const targets = autoscalers.map(({ spec }) => [spec.scaleTargetRef?.name, spec.metrics?.[0]?.containerResource.container]);
  expect(Object.fromEntries(targets)).toEqual({
    'face-recog': 'face-recog',
    'image-processor-deployment': 'image-processor',
    'receiver-deployment': 'receiver',
  });
  for (const { spec } of autoscalers) {
    const { manifest } = workloads.find(({ name }) => name === spec.scaleTargetRef?.name) as Workload;
    expect(spec.minReplicas).toBe(manifest.spec.replicas);
  }
});

test('a new MySQL runs the schema of db/ and the script that makes the account', () => {
  const written = readFileSync(new URL('../kube_files/mysql_init.yaml', import.meta.url), 'utf8');
  expect(written, 'stale: run node scripts/mysql-init.ts').toBe(mysqlInit());
  const schema = readFileSync(new URL('../db/schema.sql', import.meta.url), 'utf8');
  const { data = {} } = one('ConfigMap', 'mysql-init');
  expect(Object.keys(data)).toEqual(['10-account.sh', '20-schema.sql']);
  expect(data['20-schema.sql']?.trim()).toBe(schema.trim());
  expect(data['10-account.sh']).toContain('$MYSQL_USERPASSWORD_FILE');
});

test('scripts/secret writes the same secret with passwords of its own', () => {
  const folder = tempFolder('secret');
  const [first, second] = ['a.yaml', 'b.yaml'].map((name) => {
    execFileSync(fileURLToPath(new URL('../scripts/secret', import.meta.url)), [join(folder, name)]);
    return parse(readFileSync(join(folder, name), 'utf8')) as Manifest;
  });
  const { file: _file, data: _data, ...rest } = one('Secret', 'kube-face-secret');
  expect(first).toMatchObject(rest);
  expect(secretValues(first as Manifest)).toEqual({
    mysql_password: expect.stringMatching(/^[A-Za-z0-9]{32}$/),
    mysql_userpassword: expect.stringMatching(/^kube_face:[A-Za-z0-9]{32}$/),
  });
  expect(first?.data).not.toEqual(second?.data);
});
