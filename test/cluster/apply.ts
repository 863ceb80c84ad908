import { type Context, DEPLOYMENTS, everythingReady, type Step } from './context.ts';
import { secondsSince } from './kubectl.ts';

const READY_WITHIN_MS = 90_000; // of the first apply

type Versions = { items: { kind: string; metadata: { name: string; resourceVersion: string; generation?: number } }[] };
const KINDS =
  'deployments,services,configmaps,secrets,serviceaccounts,persistentvolumeclaims,networkpolicies,poddisruptionbudgets,cronjobs';

async function apply({ kubectl }: Context, files: string[]): Promise<string[]> {
  const lines: string[] = [];
  for (const file of files)
    lines.push(...(await kubectl.call('apply', '--validate=strict', '--filename', file)).trim().split('\n'));
  return lines;
}

/** What tells whether an object was changed; a Deployment's and a claim's status moves by itself. */
async function versions({ kubectl }: Context): Promise<Map<string, string>> {
  const { items } = await kubectl.json<Versions>('get', KINDS);
  return new Map(
    items
      .filter(({ metadata }) => metadata.name !== 'kube-root-ca.crt')
      .map(({ kind, metadata }) => [`${kind}/${metadata.name}`, String(metadata.generation ?? metadata.resourceVersion)]),
  );
}

export const applySteps: Step[] = [
  {
    name: 'apply on an empty namespace, the files in reverse order, under the restricted standard',
    inShort: true,
    async run(context) {
      const startedMs = Date.now();
      const lines = await apply(context, context.sandbox.files.toReversed());
      await everythingReady(context, READY_WITHIN_MS - (Date.now() - startedMs));
      const restarts = (
        await Promise.all(['receiver', 'image-processor', 'face-recog', 'frontend'].map((app) => context.kubectl.pods(app)))
      )
        .flat()
        .flatMap(({ status }) => status.containerStatuses ?? [])
        .reduce((sum, { restartCount }) => sum + restartCount, 0);
      return `${lines.length} objects, ${DEPLOYMENTS.length} Deployments ready after ${secondsSince(startedMs)}, ${restarts} restarts`;
    },
  },
  {
    name: 'apply again',
    inShort: true,
    async run(context) {
      const before = await versions(context);
      const lines = await apply(context, context.sandbox.files);
      const after = await versions(context);
      const changed = [...after].filter(([name, version]) => before.get(name) !== version);
      if (changed.length > 0) throw new Error(`changed by a second apply: ${changed.map(([name]) => name)}`);
      // kubectl always sends a budget's selector, and so calls budgets configured; the server finds nothing new in it.
      const configured = lines.filter((line) => !line.endsWith(' unchanged') && !line.startsWith('poddisruptionbudget'));
      if (configured.length > 0) throw new Error(`not unchanged: ${configured}`);
      return `0 of ${after.size} objects changed`;
    },
  },
];
