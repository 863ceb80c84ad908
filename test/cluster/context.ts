import { type Kubectl, until } from './kubectl.ts';
import { createPoster, type Poster, type Tally } from './poster.ts';
import type { Sandbox } from './sandbox.ts';

export const DEPLOYMENTS = ['mysql', 'nsqlookup', 'receiver-deployment', 'image-processor-deployment', 'face-recog', 'frontend'];

export type Tags = { first: string; second: string };

export type Context = {
  sandbox: Sandbox;
  kubectl: Kubectl;
  tags: Tags;
  receiverUrl: string;
  frontendUrl: string;
};

/** One thing to see on the cluster. `run` gives the figure that is printed, or throws. */
export type Step = { name: string; inShort: boolean; run(context: Context): Promise<string> };

type Deployment = {
  metadata: { name: string; generation: number };
  spec: { replicas: number };
  status: { observedGeneration?: number; replicas?: number; updatedReplicas?: number; readyReplicas?: number };
};

/** Waits until every Deployment has as many ready pods, of its newest kind, as it should. */
export async function everythingReady({ kubectl }: Context, withinMs: number): Promise<void> {
  await until('every Deployment is ready', withinMs, async () => {
    const { items } = await kubectl.json<{ items: Deployment[] }>('get', 'deployments');
    return items.length === DEPLOYMENTS.length && items.every(isComplete);
  });
}

function isComplete({ metadata, spec, status }: Deployment): boolean {
  const { observedGeneration = 0, replicas = 0, updatedReplicas = 0, readyReplicas = 0 } = status;
  return (
    observedGeneration >= metadata.generation &&
    [replicas, updatedReplicas, readyReplicas].every((count) => count === spec.replicas)
  );
}

/** Rows of a query, as root on the server itself. */
export async function query({ kubectl }: Context, sql: string): Promise<string[][]> {
  const quoted = sql.replaceAll("'", `'\\''`);
  const script = `MYSQL_PWD=$(cat /run/secrets/kube-face/mysql_password) mysql --user=root --batch --skip-column-names kube --execute='${quoted}'`;
  const text = await kubectl.exec('deployment/mysql', 'mysql', script);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));
}

/** Names of photos that lie on the volume: `count` more, each a link to one of those that were uploaded. */
export async function layOutPhotos({ kubectl }: Context, prefix: string, count: number): Promise<string[]> {
  const script = `
    const { readdirSync, linkSync, copyFileSync } = require('node:fs');
    const photos = readdirSync('.').filter((name) => /^upload-.*[.](jpg|jpeg)$/.test(name));
    for (let index = 0; index < ${count}; index += 1) {
      const [from, to] = [photos[index % photos.length], '${prefix}-' + index + '.jpg'];
      try { linkSync(from, to); } catch { copyFileSync(from, to); }
    }`;
  await kubectl.exec(
    'deployment/receiver-deployment',
    'receiver',
    `cd /unknown_people && node -e "${script.replaceAll('\n', ' ')}"`,
  );
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}.jpg`);
}

/** Waits until every photo that was accepted has its final row. Throws where one is lost or failed. */
export async function allFinal(context: Context, accepted: ReadonlyMap<string, number>, withinMs: number): Promise<void> {
  let open: string[] = [];
  await until(
    `a final row for each of ${accepted.size} photos`,
    withinMs,
    async () => {
      const rows = await query(context, 'select id, path, status, coalesce(outcome, "") from images');
      const byPath = new Map(rows.map(([id, path, status, outcome]) => [path as string, { id: Number(id), status, outcome }]));
      const lost = [...accepted].filter(([path, id]) => byPath.get(path)?.id !== id);
      if (lost.length > 0) return await fail(`${lost.length} accepted photos have no row: ${lost.slice(0, 3)}`);
      const failed = [...accepted.keys()].filter((path) => byPath.get(path)?.status === '2');
      open = [...accepted.keys()].filter((path) => byPath.get(path)?.status !== '1' && !failed.includes(path));
      const [first] = failed;
      if (first !== undefined && open.length === 0)
        return await fail(`${failed.length} photos failed, ${first}: ${byPath.get(first)?.outcome}`);
      return open.length === 0;
    },
    1_000,
  ).catch((error: unknown) => {
    throw new Error(`${error instanceof Error ? error.message : error}; open: ${open.length} (${open.slice(0, 3)})`, {
      cause: error,
    });
  });
}

/** A client that was put off comes again with the same photo, which must not be there by then. */
async function noneSaved(context: Context, paths: readonly string[]): Promise<void> {
  const saved = new Set((await query(context, 'select path from images')).flat());
  const there = paths.filter((path) => saved.has(path));
  if (there.length > 0) throw new Error(`${there.length} photos were put off and saved all the same: ${there.slice(0, 3)}`);
}

async function fail(sentence: string): Promise<never> {
  throw new Error(sentence);
}

export type Allowance = { refused?: boolean; later?: boolean };

async function oneMoreAccepted({ tally }: Poster): Promise<void> {
  const before = tally.accepted.size;
  await until('another photo is accepted', 120_000, async () => tally.accepted.size > before, 50);
}

let runs = 0;

/**
 * Does `work` while photos are posted without a pause, then checks every request and every photo: none refused and none put
 * off, unless `allow` says so, and each accepted photo with its final row within `settleMs`.
 */
export async function whilePosting(
  context: Context,
  { allow = {}, settleMs = 240_000, photos = 3_000 }: { allow?: Allowance; settleMs?: number; photos?: number },
  work: (poster: Poster) => Promise<string>,
): Promise<string> {
  runs += 1;
  const paths = await layOutPhotos(context, `post-${runs}`, photos);
  const poster = createPoster({ receiverUrl: context.receiverUrl, frontendUrl: context.frontendUrl, paths });
  let figure: string;
  let tally: Tally;
  try {
    await oneMoreAccepted(poster); // before whatever happens, and after it
    figure = await work(poster);
    await oneMoreAccepted(poster);
  } finally {
    tally = await poster.stop();
  }
  if (tally.refused.length > 0 && !allow.refused)
    throw new Error(`${tally.refused.length} of ${tally.requests} requests refused, the first ${tally.refused[0]}`);
  if (tally.later > 0 && !allow.later) throw new Error(`${tally.later} of ${tally.requests} requests were told to come again`);
  const startedMs = Date.now();
  await allFinal(context, tally.accepted, settleMs);
  await noneSaved(context, tally.notSaved);
  const settled = ((Date.now() - startedMs) / 1000).toFixed(1);
  return `${figure}; ${tally.requests} requests: ${tally.refused.length} refused, ${tally.later} put off; ${tally.accepted.size} photos accepted, 0 lost, the last final after ${settled} s`;
}
