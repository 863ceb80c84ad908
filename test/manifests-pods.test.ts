import { expect, test } from 'vitest';
import {
  containersOf,
  mainContainer,
  manifestOf,
  namesOf,
  readManifests,
  secretValues,
  workloadOf,
  workloadsOf,
} from './manifests.ts';

const manifests = readManifests();
const workloads = workloadsOf(manifests);
const deployments = workloads.filter(({ manifest }) => manifest.kind === 'Deployment');
const containers = workloads.flatMap((workload) =>
  containersOf(workload).map((container) => ({ id: `${workload.name}/${container.name}`, workload, container })),
);

const one = (kind: string, name: string) => manifestOf(manifests, kind, name);
const byApp = (app: string) => workloadOf(workloads, app);

test.each(workloads.map((workload) => [workload.name, workload] as const))(
  '%s has a container named as its label says',
  (_name, workload) => {
    expect(mainContainer(workload).name).toBe(workload.labels.app);
  },
);

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
    if (claim) expect([...namesOf(manifests, 'PersistentVolumeClaim')]).toContain(claim.claimName);
  }
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

test('no secret is written into a command or a variable', () => {
  const secrets = Object.values(secretValues(one('Secret', 'kube-face-secret'))).flatMap((text) => text.split(':').slice(-1));
  expect(secrets).toHaveLength(2);
  const spoken = JSON.stringify(containers.map(({ container }) => [container.command, container.args, container.env]));
  for (const text of secrets) expect(spoken).not.toContain(text);
  expect(spoken).not.toMatch(/password[=:]/i);
});
