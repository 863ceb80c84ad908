import { type Context, type Step, whilePosting } from './context.ts';
import { isReady, type Kubectl, type Pod, secondsSince, until } from './kubectl.ts';

const UPDATES = [
  { deployment: 'receiver-deployment', container: 'receiver', image: 'receiver', app: 'receiver' },
  { deployment: 'image-processor-deployment', container: 'image-processor', image: 'image-processor', app: 'image-processor' },
  { deployment: 'face-recog', container: 'face-recog', image: 'face-recognition', app: 'face-recog' },
  { deployment: 'frontend', container: 'frontend', image: 'frontend', app: 'frontend' },
] as const;

const imageOf = ({ spec }: Pod) => spec.containers[0]?.image ?? '';

async function expectTag({ kubectl }: Context, app: string, tag: string): Promise<void> {
  const images = (await kubectl.pods(app)).filter(({ metadata }) => metadata.deletionTimestamp === undefined).map(imageOf);
  if (images.length === 0 || !images.every((image) => image.endsWith(`:${tag}`))) throw new Error(`${app} runs ${images}`);
}

/** Both posts, asked of one pod from inside: the statuses of the answers. */
async function postsIn(kubectl: Kubectl, pod: string, name: string): Promise<string> {
  const script = `
    const post = (route, body) => fetch('http://127.0.0.1:8000' + route, { method: 'POST', body: JSON.stringify(body) }).then((answer) => answer.status);
    Promise.all([post('/image/post', { path: '${name}-0.jpg' }), post('/images/post', { paths: [{ path: '${name}-1.jpg' }] })]).then((all) => console.log(all.join()));`;
  return (await kubectl.exec(pod, 'receiver', `node -e "${script.replaceAll('\n', ' ')}"`)).trim();
}

/**
 * Holds the update still as soon as the first new receiver is made, so that it stands beside the old ones for as long as it
 * takes, and asks one of each.
 */
async function bothVersionsServe({ kubectl, tags }: Context): Promise<void> {
  const ofTag = async (tag: string) => (await kubectl.pods('receiver')).filter((pod) => imageOf(pod).endsWith(`:${tag}`));
  await until('a new receiver', 60_000, async () => (await ofTag(tags.second)).length > 0, 50);
  await kubectl.call('rollout', 'pause', 'deployment/receiver-deployment');
  try {
    const [old, young] = await until('an old and a new receiver side by side', 120_000, async () => {
      const [first, second] = [await ofTag(tags.first), await ofTag(tags.second)].map((pods) => pods.find(isReady));
      return first && second && ([first.metadata.name, second.metadata.name] as const);
    });
    const answers = await Promise.all([postsIn(kubectl, old, 'side-by-side-old'), postsIn(kubectl, young, 'side-by-side-new')]);
    if (answers.some((statuses) => statuses !== '200,200'))
      throw new Error(`old and new receiver answered ${answers.join(' and ')}`);
  } finally {
    await kubectl.call('rollout', 'resume', 'deployment/receiver-deployment');
  }
}

export const updateSteps: Step[] = [
  ...UPDATES.map(
    ({ deployment, container, image, app }): Step => ({
      name: `rolling update of ${deployment}`,
      inShort: true,
      run: (context) =>
        whilePosting(context, {}, async () => {
          const startedMs = Date.now();
          await context.kubectl.call(
            'set',
            'image',
            `deployment/${deployment}`,
            `${container}=kube-face/${image}:${context.tags.second}`,
          );
          if (app === 'receiver') await bothVersionsServe(context);
          await context.kubectl.rolledOut(deployment);
          await expectTag(context, app, context.tags.second);
          return `${secondsSince(startedMs)}${app === 'receiver' ? ', old and new served both posts side by side' : ''}`;
        }),
    }),
  ),
  {
    name: 'rollout undo of all four',
    inShort: true,
    run: (context) =>
      whilePosting(context, {}, async () => {
        const startedMs = Date.now();
        for (const { deployment } of UPDATES) await context.kubectl.call('rollout', 'undo', `deployment/${deployment}`);
        for (const { deployment, app } of UPDATES) {
          await context.kubectl.rolledOut(deployment);
          await expectTag(context, app, context.tags.first);
        }
        return secondsSince(startedMs);
      }),
  },
  {
    name: 'restart of nsqlookup',
    inShort: false,
    run: (context) =>
      whilePosting(context, {}, async () => {
        const startedMs = Date.now();
        await context.kubectl.call('rollout', 'restart', 'deployment/nsqlookup');
        await context.kubectl.rolledOut('nsqlookup');
        return secondsSince(startedMs);
      }),
  },
];
