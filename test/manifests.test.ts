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
  readManifests,
  secretValues,
  type Workload,
  workloadsOf,
} from './manifests.ts';

const manifests = readManifests();
const autoscalers = readManifests('autoscale');
const everything = [...manifests, ...autoscalers];
const workloads = workloadsOf(manifests);
const deployments = workloads.filter(({ manifest }) => manifest.kind === 'Deployment');
const containers = workloads.flatMap((workload) =>
  containersOf(workload).map((container) => ({ id: `${workload.name}/${container.name}`, workload, container })),
);

const named = (list: Manifest[], kind: string) =>
  new Set(list.filter((one) => one.kind === kind).map((one) => one.metadata.name));
const one = (kind: string, name: string) =>
  manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
const byApp = (app: string) => workloads.find(({ labels }) => labels.app === app) as Workload;

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
  expect(named(manifests, 'Deployment')).toEqual(
    new Set(['face-recog', 'frontend', 'image-processor-deployment', 'mysql', 'nsqlookup', 'receiver-deployment']),
  );
  expect(named(manifests, 'Service')).toEqual(
    new Set(['face-recog', 'frontend', 'mysql', 'nsqd', 'nsqlookup', 'receiver-service']),
  );
  expect(named(manifests, 'CronJob')).toEqual(new Set(['redeemer']));
  expect(named(manifests, 'PersistentVolumeClaim')).toEqual(new Set(['known-people', 'mysql-data', 'unknown-people']));
  expect(secretValues(one('Secret', 'kube-face-secret') as Manifest)).toEqual({
    mysql_password: expect.any(String),
    mysql_userpassword: expect.stringMatching(/^\w+:./),
  });
});

test.each(workloads.map((workload) => [workload.name, workload] as const))(
  '%s has a container named as its label says',
  (_name, workload) => {
    expect(mainContainer(workload).name).toBe(workload.labels.app);
  },
);

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

test.each(containers.map(({ id, container }) => [id, container] as const))(
  '%s runs a fixed image that may be there already',
  (_id, container) => {
    expect(container.image).toMatch(
      /^(kube-face\/(receiver|image-processor|face-recognition|frontend):v1\.0|mysql:9\.7|nsqio\/nsq:v1\.3\.0)$/,
    );
    expect(container.imagePullPolicy).toBe('IfNotPresent');
  },
);

test.each(containers.map(({ id, workload, container }) => [id, workload, container] as const))(
  '%s is hardened',
  (_id, { pod }, container) => {
    expect({ ...pod.securityContext, ...container.securityContext }).toMatchObject({
      runAsNonRoot: true,
      runAsUser: expect.any(Number),
      seccompProfile: { type: 'RuntimeDefault' },
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod.securityContext?.runAsUser).toBeGreaterThan(0);
    expect([pod.hostNetwork, pod.hostPID, pod.hostIPC]).toEqual([undefined, undefined, undefined]);
    expect(container.ports?.some(({ hostPort }) => hostPort !== undefined) ?? false).toBe(false);
    expect(pod.volumes?.some((volume) => 'hostPath' in volume) ?? false).toBe(false);
  },
);

test.each(containers.map(({ id, container }) => [id, container] as const))(
  '%s says what it needs and what it may take',
  (_id, container) => {
    for (const amounts of [container.resources?.requests, container.resources?.limits]) {
      expect(amounts).toMatchObject({ cpu: expect.stringMatching(/^\d+m?$/), memory: expect.stringMatching(/^\d+[MG]i$/) });
    }
  },
);

test.each(
  containers
    .filter(({ workload }) => workload.manifest.kind === 'Deployment')
    .map(({ id, container }) => [id, container] as const),
)('%s is watched by all three probes', (_id, { startupProbe, readinessProbe, livenessProbe }) => {
  expect({ startupProbe, readinessProbe, livenessProbe }).toEqual({
    startupProbe: expect.any(Object),
    readinessProbe: expect.any(Object),
    livenessProbe: expect.any(Object),
  });
});

test.each(workloads.map((workload) => [workload.name, workload] as const))(
  '%s holds no token and gets no service links',
  (_name, { pod }) => {
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(pod.enableServiceLinks).toBe(false);
    expect(one('ServiceAccount', pod.serviceAccountName ?? '')).toMatchObject({ automountServiceAccountToken: false });
  },
);

test.each(workloads.map((workload) => [workload.name, workload] as const))('%s mounts what is there', (_name, workload) => {
  const volumes = workload.pod.volumes ?? [];
  for (const container of containersOf(workload)) {
    for (const mount of container.volumeMounts ?? []) expect(volumes.map(({ name }) => name)).toContain(mount.name);
  }
  for (const volume of volumes) {
    const claim = volume.persistentVolumeClaim as { claimName: string } | undefined;
    if (claim) expect([...named(manifests, 'PersistentVolumeClaim')]).toContain(claim.claimName);
  }
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

test('what has several pods spreads them, and comes up all the same where it cannot', () => {
  for (const app of ['receiver', 'image-processor', 'face-recog', 'frontend']) {
    expect(byApp(app).pod.topologySpreadConstraints).toEqual([expect.objectContaining({ whenUnsatisfiable: 'ScheduleAnyway' })]);
  }
});

test('a pod that is told to stop gets longer than its preStop', () => {
  for (const workload of deployments) {
    const sleep = mainContainer(workload).lifecycle?.preStop?.sleep?.seconds ?? 0;
    expect(workload.pod.terminationGracePeriodSeconds, workload.name).toBeGreaterThan(sleep + 10);
  }
});

test('nsqd is a native sidecar that broadcasts its pod and looks its address up by name', () => {
  const [nsqd, ...others] = byApp('receiver').pod.initContainers ?? [];
  expect(others).toEqual([]);
  expect(nsqd).toMatchObject({ name: 'nsqd', restartPolicy: 'Always' });
  expect(nsqd?.env).toEqual([{ name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }]);
  expect(nsqd?.command).toEqual(
    expect.arrayContaining(['-broadcast-address=$(POD_IP)', '-lookupd-tcp-address=nsqlookup:4160', '-data-path=/data']),
  );
  expect(byApp('receiver').pod.volumes).toContainEqual({ name: 'nsqd-data', emptyDir: {} });
});

test('the redeemer runs every minute, never twice at once', () => {
  expect(one('CronJob', 'redeemer')?.spec).toMatchObject({ schedule: '* * * * *', concurrencyPolicy: 'Forbid' });
  expect(mainContainer(byApp('redeemer')).command).toEqual(['node', 'services/image-processor/dist/redeemer.js']);
});

test('no secret is written into a command or a variable', () => {
  const secrets = Object.values(secretValues(one('Secret', 'kube-face-secret') as Manifest)).flatMap((text) =>
    text.split(':').slice(-1),
  );
  expect(secrets).toHaveLength(2);
  const spoken = JSON.stringify(containers.map(({ container }) => [container.command, container.args, container.env]));
  for (const text of secrets) expect(spoken).not.toContain(text);
  expect(spoken).not.toMatch(/password[=:]/i);
});

test('the autoscalers stand aside, and point at what exists', () => {
  expect(named(manifests, 'HorizontalPodAutoscaler')).toEqual(new Set());
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
  const { data = {} } = one('ConfigMap', 'mysql-init') as Manifest;
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
  const { file: _file, data: _data, ...rest } = one('Secret', 'kube-face-secret') as Manifest;
  expect(first).toMatchObject(rest);
  expect(secretValues(first as Manifest)).toEqual({
    mysql_password: expect.stringMatching(/^[A-Za-z0-9]{32}$/),
    mysql_userpassword: expect.stringMatching(/^kube_face:[A-Za-z0-9]{32}$/),
  });
  expect(first?.data).not.toEqual(second?.data);
});
