import { type Context, type Step, whilePosting } from './context.ts';
import { isReady, secondsSince, until } from './kubectl.ts';

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
];
