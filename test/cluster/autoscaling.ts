import { setTimeout as delay } from 'node:timers/promises';
import { type Context, everythingReady, layOutPhotos, query, type Step } from './context.ts';
import { type Kubectl, secondsSince, until } from './kubectl.ts';
import { ask } from './poster.ts';

const USUAL = { 'receiver-deployment': 2, 'image-processor-deployment': 1, 'face-recog': 1 };

// More photos a second than one face-recog can do, and not so many that the backlog outlasts the test.
const BATCH = 25;
const EVERY_MS = 500;
const MOST_PHOTOS = 4_000;

type Autoscalers = { items: { metadata: { name: string }; status: { desiredReplicas?: number } }[] };

/** How many pods each autoscaler wants, by its name. */
async function wanted(kubectl: Kubectl): Promise<Record<string, number>> {
  const { items } = await kubectl.json<Autoscalers>('get', 'horizontalpodautoscalers');
  return Object.fromEntries(items.map(({ metadata, status }) => [metadata.name, status.desiredReplicas ?? 0]));
}

async function post(context: Context, isNeeded: () => boolean): Promise<number> {
  const paths = await layOutPhotos(context, 'load', MOST_PHOTOS);
  let posted = 0;
  while (isNeeded() && paths.length > 0) {
    const body = JSON.stringify({ paths: paths.splice(0, BATCH).map((path) => ({ path })) });
    const [answer] = await Promise.all([ask('POST', `${context.receiverUrl}/images/post`, body), delay(EVERY_MS)]);
    if (answer.status === 200) posted += BATCH;
  }
  return posted;
}

/** Posts until there is more than one face-recog; the most pods that each autoscaler wanted meanwhile. */
async function loadUntilScaledUp(context: Context): Promise<{ posted: number; most: Record<string, number> }> {
  let isNeeded = true;
  const posting = post(context, () => isNeeded);
  const most: Record<string, number> = {};
  try {
    await until(
      'face-recog is scaled up',
      150_000,
      async () => {
        for (const [name, count] of Object.entries(await wanted(context.kubectl))) most[name] = Math.max(most[name] ?? 0, count);
        return (most['face-recog'] ?? 0) > 1;
      },
      1_000,
    );
  } finally {
    isNeeded = false;
  }
  return { posted: await posting, most };
}

const countOpen = async (context: Context) =>
  Number((await query(context, 'select count(*) from images where status in (0, 3)'))[0]?.[0]);

/** Whether all want what they want at rest. An autoscaler without metrics yet wants 0. */
async function atRest({ kubectl }: Context): Promise<boolean> {
  const now = await wanted(kubectl);
  return now['face-recog'] === 1 && now['image-processor'] === 1 && now.receiver === 2;
}

async function upAndDown(context: Context): Promise<string> {
  // Pods that have just started were busy; what is to be seen is the load.
  await until('the autoscalers are at rest', 240_000, () => atRest(context), 1_000);
  const startedMs = Date.now();
  const { posted, most } = await loadUntilScaledUp(context);
  const up = secondsSince(startedMs);
  await until('the backlog is done', 500_000, async () => (await countOpen(context)) === 0, 2_000);
  const idleMs = Date.now();
  await until('all are scaled down', 300_000, () => atRest(context), 1_000);
  const peak = Object.entries(most).map(([name, count]) => `${name} ${count}`);
  if (posted === 0) throw new Error('scaled up without a load');
  return `${posted} photos; up after ${up} (${peak.join(', ')}), down ${secondsSince(idleMs)} after the work was done`;
}

export const autoscalingSteps: Step[] = [
  {
    name: 'autoscalers: up under load, down after it',
    inShort: false,
    async run(context) {
      await context.kubectl.call('apply', '--filename', context.sandbox.autoscalers);
      try {
        return await upAndDown(context);
      } finally {
        await context.kubectl.call('delete', 'horizontalpodautoscalers', '--all');
        for (const [deployment, usual] of Object.entries(USUAL)) {
          await context.kubectl.call('scale', `deployment/${deployment}`, `--replicas=${usual}`);
        }
        // What is still open would stand in the way of the next step's photos.
        await query(context, "delete from images where path like 'load-%' and status in (0, 3)");
        await everythingReady(context, 120_000);
      }
    },
  },
];
