import { type Context, everythingReady, query, type Step, whilePosting } from './context.ts';
import { isReady, run, secondsSince, until } from './kubectl.ts';

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
        let held = 0;
        try {
          await run('kubectl', drain); // on one node the budgets keep it from ending: the evicted pods find no other place
          held = (await kubectl.pods('receiver')).filter(isReady).length;
          if (held === 0) throw new Error('the budget let the last receiver go');
        } finally {
          await uncordon();
        }
        const startedMs = Date.now();
        await everythingReady(context, 180_000);
        return `${items.length} node: ${held} receiver held back by its budget, everything ready ${secondsSince(startedMs)} after the node came back`;
      }),
  },
];
