import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

const FOLDER = fileURLToPath(new URL('../kube_files', import.meta.url));

export type EnvVar = { name: string; value?: string; valueFrom?: Record<string, unknown> };

export type Container = {
  name: string;
  image: string;
  imagePullPolicy?: string;
  command?: string[];
  args?: string[];
  env?: EnvVar[];
  restartPolicy?: string;
  ports?: { name?: string; containerPort: number; hostPort?: number }[];
  startupProbe?: object;
  readinessProbe?: object;
  livenessProbe?: object;
  lifecycle?: { preStop?: { sleep?: { seconds: number } } };
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
  securityContext?: Record<string, unknown>;
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean }[];
};

export type PodSpec = {
  serviceAccountName?: string;
  automountServiceAccountToken?: boolean;
  enableServiceLinks?: boolean;
  hostNetwork?: boolean;
  hostPID?: boolean;
  hostIPC?: boolean;
  terminationGracePeriodSeconds?: number;
  restartPolicy?: string;
  securityContext?: Record<string, unknown>;
  initContainers?: Container[];
  containers: Container[];
  volumes?: ({ name: string } & Record<string, unknown>)[];
  topologySpreadConstraints?: { whenUnsatisfiable: string }[];
};

type Labels = Record<string, string>;
type PodTemplate = { metadata: { labels: Labels }; spec: PodSpec };
export type Peer = { podSelector: { matchLabels?: Labels; matchExpressions?: { key: string; values: string[] }[] } };
export type Rule = { from?: Peer[]; to?: Peer[]; ports: { port: number; protocol?: string }[] };

/** What the tests look at, of whatever kind; that each kind has the fields it must have is the schema check's. */
export type Spec = {
  template?: PodTemplate;
  jobTemplate?: { spec: { template: PodTemplate } };
  replicas?: number;
  strategy?: object;
  selector?: Labels & { matchLabels?: Labels };
  type?: string;
  clusterIP?: string;
  ports?: { port: number; targetPort?: string | number; nodePort?: number }[];
  podSelector?: { matchLabels: Labels };
  policyTypes?: string[];
  ingress?: Rule[];
  egress?: Rule[];
  scaleTargetRef?: { name: string };
  minReplicas?: number;
  metrics?: { containerResource: { container: string } }[];
};

export type Manifest = {
  file: string;
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Labels };
  spec: Spec;
  data?: Record<string, string>;
};

/** Every object in a folder's YAML files, by the order of the files' names. Folders inside it are left out, as `kubectl apply -f` does. */
export function readManifests(subfolder = ''): Manifest[] {
  const folder = `${FOLDER}/${subfolder}`;
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  return files.sort().flatMap((file) =>
    parseAllDocuments(readFileSync(`${folder}/${file}`, 'utf8'), { strict: true, uniqueKeys: true }).map((document) => {
      if (document.errors.length > 0) throw new Error(`${file}: ${document.errors[0]?.message}`);
      return { file, ...document.toJS() } as Manifest;
    }),
  );
}

export type Workload = { manifest: Manifest; name: string; labels: Labels; pod: PodSpec };

/** The pods that the manifests make: Deployments and CronJobs. */
export function workloadsOf(manifests: Manifest[]): Workload[] {
  return manifests.flatMap((manifest) => {
    const template = manifest.spec?.template ?? manifest.spec?.jobTemplate?.spec.template;
    if (!template) return [];
    return [{ manifest, name: manifest.metadata.name, labels: template.metadata.labels, pod: template.spec }];
  });
}

/** The names of every object of a kind. */
export const namesOf = (manifests: Manifest[], kind: string): Set<string> =>
  new Set(manifests.filter((one) => one.kind === kind).map(({ metadata }) => metadata.name));

/** Throws where there is none. */
export function manifestOf(manifests: Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find((one) => one.kind === kind && one.metadata.name === name);
  if (!found) throw new Error(`there is no ${kind} ${name}`);
  return found;
}

/** The one whose pods carry the label. Throws where there is none. */
export function workloadOf(workloads: Workload[], app: string): Workload {
  const found = workloads.find(({ labels }) => labels.app === app);
  if (!found) throw new Error(`no pod is labelled ${app}`);
  return found;
}

export function containersOf({ pod }: Workload): Container[] {
  return [...(pod.initContainers ?? []), ...pod.containers];
}

/** What a Secret holds, in plain text. */
export function secretValues(secret: Manifest): Record<string, string> {
  return Object.fromEntries(
    Object.entries(secret.data ?? {}).map(([key, text]) => [key, Buffer.from(text, 'base64').toString()]),
  );
}

/** The container that gives the workload its name. */
export function mainContainer({ pod }: Workload): Container {
  return pod.containers[0] as Container;
}
