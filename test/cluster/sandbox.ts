import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeFolder, tempFolder } from '../harness/temp-folder.ts';
import { type Manifest, readManifests } from '../manifests.ts';
import { createKubectl, type Kubectl, run } from './kubectl.ts';

export type Sandbox = {
  kubectl: Kubectl;
  /** The manifests as they were patched, one file each as in kube_files. */
  files: string[];
  autoscalers: string;
  receiverPort: number;
  frontendPort: number;
  /** On the pods of this sandbox and no others, for whatever must not touch the rest of the cluster. */
  label: string;
  /** What a step did outside the namespace, taken back by `remove` where the step could not do it itself. */
  undo: (() => Promise<unknown>)[];
  /** Takes back what is left to undo, and removes the namespace and whatever was in it. Safe to repeat. */
  remove(): Promise<void>;
};

type ServiceList = { items: { spec: { ports?: { nodePort?: number }[] } }[] };

/** Two node ports that no service has: a sandbox must not need those of a system that is installed. */
async function freeNodePorts(kubectl: Kubectl): Promise<[number, number]> {
  const { items } = await kubectl.json<ServiceList>('get', 'services', '--all-namespaces');
  const taken = new Set(items.flatMap(({ spec }) => (spec.ports ?? []).map(({ nodePort }) => nodePort)));
  const free = Array.from({ length: 500 }, (_, index) => 31_000 + index).filter((port) => !taken.has(port));
  return [free[0] as number, free[1] as number];
}

function patch(manifest: Manifest, ports: { receiver: number; frontend: number }, tag: string, label: string): object {
  const { file: _file, ...object } = manifest;
  const template = object.spec?.template ?? object.spec?.jobTemplate?.spec.template;
  if (template) template.metadata.labels['kube-face-test'] = label;
  const text = JSON.stringify(object)
    .replaceAll(/(kube-face\/[a-z-]+):v1\.0/g, `$1:${tag}`)
    .replaceAll('30251', String(ports.receiver))
    .replaceAll('30081', String(ports.frontend));
  return JSON.parse(text) as object;
}

/**
 * A namespace of its own that enforces the `restricted` Pod Security Standard, and the manifests of kube_files with its node
 * ports and with `tag`. Nothing else of them is changed.
 */
export async function createSandbox(tag: string): Promise<Sandbox> {
  const label = randomBytes(3).toString('hex');
  const kubectl = createKubectl(`kube-face-test-${label}`);
  const [receiver, frontend] = await freeNodePorts(kubectl);
  const folder = tempFolder('manifests');

  function write(name: string, manifests: Manifest[]): string {
    const items = manifests.map((manifest) => patch(manifest, { receiver, frontend }, tag, label));
    writeFileSync(join(folder, name), JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    return join(folder, name);
  }

  const manifests = readManifests();
  const names = [...new Set(manifests.map(({ file }) => file))];
  const files = names.map((name) =>
    write(
      name,
      manifests.filter(({ file }) => file === name),
    ),
  );
  const autoscalers = write('autoscale.yaml', readManifests('autoscale'));

  await kubectl.call('create', 'namespace', kubectl.namespace);
  await kubectl.call('label', 'namespace', kubectl.namespace, 'pod-security.kubernetes.io/enforce=restricted');
  const undo: Sandbox['undo'] = [];
  return {
    kubectl,
    undo,
    files,
    autoscalers,
    receiverPort: receiver,
    frontendPort: frontend,
    label,
    async remove() {
      for (const takeBack of undo.splice(0)) await takeBack();
      removeFolder(folder);
      await run('kubectl', ['delete', 'namespace', kubectl.namespace, '--ignore-not-found', '--timeout=180s']);
    },
  };
}
