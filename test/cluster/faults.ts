import { type Context, everythingReady, query, type Step, whilePosting } from './context.ts';
import { isReady, type Kubectl, type Pod, run, secondsSince, until } from './kubectl.ts';

const BUDGETED = ['frontend', 'receiver']; // one pod each
const KINDS = ['receiver', 'image-processor', 'face-recog', 'frontend', 'nsqlookup', 'mysql'];

// What died with a receiver's nsqd comes back by the redeemer: REDEEM_AFTER_MS and its minute.
const REDEEMED_MS = 300_000;

async function countRows(context: Context): Promise<{ images: number; people: number }> {
  const [[images, people] = []] = await query(context, 'select (select count(*) from images), (select count(*) from person)');
  return { images: Number(images), people: Number(people) };
}

async function deleteOne({ kubectl }: Context, app: string, ...how: string[]): Promise<string> {
  const name = (await kubectl.pods(app)).find(isReady)?.metadata.name;
  if (name === undefined) throw new Error(`no ready ${app}`);
  await kubectl.call('delete', 'pod', name, ...how);
  return name;
}

/** Of the Deployments; what the CronJob made comes and goes. */
const everyPod = async (kubectl: Kubectl) => (await Promise.all(KINDS.map((app) => kubectl.pods(app)))).flat();

export const faultSteps: Step[] = [
  {
    name: 'MySQL pod deleted',
    inShort: true,
    run: (context) =>
      whilePosting(context, { allow: { later: true }, settleMs: REDEEMED_MS }, async () => {
        const before = await countRows(context);
        const startedMs = Date.now();
        await deleteOne(context, 'mysql');
        await everythingReady(context, 180_000);
        const took = secondsSince(startedMs);
        const after = await until('MySQL answers', 30_000, () => countRows(context));
        if (after.images < before.images || after.people < before.people)
          throw new Error(`rows before ${JSON.stringify(before)}, after ${JSON.stringify(after)}`);
        return `back after ${took}, ${before.images} photos and ${before.people} people kept`;
      }),
  },
  {
    name: 'a pod of each kind deleted by force',
    inShort: true,
    run: (context) =>
      whilePosting(context, { allow: { refused: true, later: true }, settleMs: REDEEMED_MS }, async () => {
        const times: string[] = [];
        for (const app of KINDS) {
          const startedMs = Date.now();
          const gone = await deleteOne(context, app, '--force', '--grace-period=0');
          await until(`${app} is replaced`, 60_000, async () =>
            (await context.kubectl.pods(app)).every(({ metadata }) => metadata.name !== gone),
          );
          await everythingReady(context, 180_000);
          times.push(`${app} ${secondsSince(startedMs)}`);
        }
        return `ready again: ${times.join(', ')}`;
      }),
  },
  {
    name: 'node drained, as far as one node allows',
    inShort: false,
    run: (context) =>
      whilePosting(context, { allow: { later: true }, settleMs: REDEEMED_MS }, async () => {
        const { kubectl, sandbox } = context;
        const [receiver] = await kubectl.pods('receiver');
        const node = receiver?.spec.nodeName as string;
        const { items } = await kubectl.json<{ items: unknown[] }>('get', 'nodes');
        const drain = [
          'drain',
          node,
          `--pod-selector=kube-face-test=${sandbox.label}`,
          '--delete-emptydir-data',
          '--ignore-daemonsets',
          '--timeout=60s',
        ];
        const uncordon = () => run('kubectl', ['uncordon', node]);
        sandbox.undo.push(uncordon); // a test that is broken off must not leave the node closed
        const before = new Set((await everyPod(kubectl)).map(({ metadata }) => metadata.name));
        let held: Pod[];
        try {
          // On one node the budgets keep it from ending: the evicted pods find no other place.
          const { code, stderr } = await run('kubectl', drain);
          if (code === 0 || !stderr.includes('disruption budget')) throw new Error(`the drain was not held back: ${stderr}`);
          held = (await everyPod(kubectl)).filter((pod) => before.has(pod.metadata.name) && isReady(pod));
        } finally {
          await uncordon();
        }
        const apps = held.map(({ metadata }) => metadata.labels.app).toSorted();
        if (apps.join() !== BUDGETED.join()) throw new Error(`left on the drained node: ${apps}`);
        const startedMs = Date.now();
        await everythingReady(context, 180_000);
        return `${items.length} node: ${apps.join(' and ')} held back by their budgets, everything ready ${secondsSince(startedMs)} after the node came back`;
      }),
  },
];
