import { type Context, everythingReady, layOutPhotos, type Step, whilePosting } from './context.ts';
import { isReady, secondsSince, until } from './kubectl.ts';
import { ask } from './poster.ts';

const SCALED = [
  { deployment: 'receiver-deployment', app: 'receiver', usual: 2 },
  { deployment: 'image-processor-deployment', app: 'image-processor', usual: 1 },
  { deployment: 'face-recog', app: 'face-recog', usual: 1 },
  { deployment: 'frontend', app: 'frontend', usual: 2 },
] as const;

/** Waits until every face-recog pod has had a call; a new one must be found within 30 s. */
async function everyFaceRecogWorks({ kubectl }: Context): Promise<string> {
  const startedMs = Date.now();
  const pods = (await kubectl.pods('face-recog')).filter(isReady);
  await until(
    'every face-recog pod has identified a photo',
    35_000,
    async () => {
      const metrics = await Promise.all(
        pods.map(({ metadata }) => kubectl.exec(metadata.name, 'face-recog', 'wget -qO- http://127.0.0.1:9102/metrics')),
      );
      return metrics.every((text) => /^kube_face_identif\w*(_count|_total)\{[^}]*\} [1-9]/m.test(text));
    },
    1_000,
  );
  return secondsSince(startedMs);
}

type Autoscalers = {
  items: {
    metadata: { name: string };
    spec: { minReplicas: number };
    status: { desiredReplicas?: number; currentReplicas?: number };
  }[];
};

const BATCH = 50;
const EVERY_MS = 500;

/** More photos than one face-recog can do, for as long as `isNeeded` says. */
async function load(context: Context, isNeeded: () => boolean): Promise<number> {
  const paths = await layOutPhotos(context, 'load', 20_000);
  let posted = 0;
  while (isNeeded() && paths.length > 0) {
    const body = JSON.stringify({ paths: paths.splice(0, BATCH).map((path) => ({ path })) });
    const [answer] = await Promise.all([
      ask('POST', `${context.receiverUrl}/images/post`, body),
      new Promise((resolve) => setTimeout(resolve, EVERY_MS)),
    ]);
    if (answer.status === 200) posted += BATCH;
  }
  return posted;
}

export const scalingSteps: Step[] = [
  ...SCALED.map(
    ({ deployment, app, usual }): Step => ({
      name: `scale ${deployment} to 3 and back`,
      inShort: app === 'face-recog',
      run: (context) =>
        whilePosting(context, {}, async () => {
          const startedMs = Date.now();
          await context.kubectl.call('scale', `deployment/${deployment}`, '--replicas=3');
          await context.kubectl.rolledOut(deployment);
          const up = secondsSince(startedMs);
          const spread = app === 'face-recog' ? `, each pod had work after another ${await everyFaceRecogWorks(context)}` : '';
          await context.kubectl.call('scale', `deployment/${deployment}`, `--replicas=${usual}`);
          await until(`${usual} pods`, 120_000, async () => (await context.kubectl.pods(app)).length === usual);
          return `3 ready after ${up}${spread}`;
        }),
    }),
  ),
  {
    name: 'autoscalers: up under load, down after it',
    inShort: false,
    async run(context) {
      const { kubectl, sandbox } = context;
      await kubectl.call('apply', '--filename', sandbox.autoscalers);
      const replicas = async () => {
        const { items } = await kubectl.json<Autoscalers>('get', 'horizontalpodautoscalers');
        return Object.fromEntries(items.map(({ metadata, status }) => [metadata.name, status.desiredReplicas ?? 0]));
      };
      try {
        await until('the autoscalers have metrics', 90_000, async () =>
          Object.values(await replicas()).every((count) => count > 0),
        );
        const startedMs = Date.now();
        let isNeeded = true;
        const loading = load(context, () => isNeeded);
        const most: Record<string, number> = {};
        const up = until(
          'face-recog and image-processor are scaled up',
          180_000,
          async () => {
            for (const [name, count] of Object.entries(await replicas())) most[name] = Math.max(most[name] ?? 0, count);
            return (most['face-recog'] ?? 0) > 1 && (most['image-processor'] ?? 0) > 1;
          },
          1_000,
        ).finally(() => {
          isNeeded = false;
        });
        await up;
        const upAfter = secondsSince(startedMs);
        const posted = await loading;
        await until(
          'the backlog is done',
          400_000,
          async () => {
            const answer = await ask('GET', `${context.receiverUrl}/images?status=pending&limit=1`);
            return (JSON.parse(answer.text) as { images: unknown[] }).images.length === 0;
          },
          2_000,
        );
        const idleMs = Date.now();
        await until(
          'all are scaled down',
          300_000,
          async () => {
            const now = await replicas();
            return now['face-recog'] === 1 && now['image-processor'] === 1 && now.receiver === 2;
          },
          1_000,
        );
        const peak = Object.entries(most).map(([name, count]) => `${name} ${count}`);
        return `${posted} photos; up after ${upAfter} (${peak.join(', ')}), down ${secondsSince(idleMs)} after the work was done`;
      } finally {
        await kubectl.call('delete', 'horizontalpodautoscalers', '--all');
        for (const { deployment, usual } of SCALED)
          await kubectl.call('scale', `deployment/${deployment}`, `--replicas=${usual}`);
        await everythingReady(context, 120_000);
      }
    },
  },
];
