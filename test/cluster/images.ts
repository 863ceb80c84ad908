import { fileURLToPath } from 'node:url';
import type { Tags } from './context.ts';
import { run, runAloud } from './kubectl.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SERVICES = ['receiver', 'image-processor', 'face-recognition', 'frontend'];

/** How images get from the local Docker to the cluster that kubectl points at; undefined where they are there already. */
async function loadCommand(given: string | undefined): Promise<string[] | undefined> {
  if (given !== undefined) return given.split(' ');
  const context = (await run('kubectl', ['config', 'current-context'])).stdout.trim();
  if (context === 'minikube') return ['minikube', 'image', 'load'];
  if (context.startsWith('kind-')) return ['kind', 'load', 'docker-image', '--name', context.slice('kind-'.length)];
  return undefined;
}

/** Builds the images under both tags (the second build finds all layers made) and brings them to the cluster. */
export async function provideImages(tags: Tags, given: string | undefined): Promise<void> {
  for (const tag of [tags.first, tags.second]) await runAloud(process.execPath, ['scripts/images.ts', tag], ROOT);
  const [program, ...args] = (await loadCommand(given)) ?? [];
  if (program === undefined) return;
  const images = [tags.first, tags.second].flatMap((tag) => SERVICES.map((service) => `kube-face/${service}:${tag}`));
  await runAloud(program, [...args, ...images], ROOT);
}
