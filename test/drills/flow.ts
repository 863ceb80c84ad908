import { setTimeout as delay } from 'node:timers/promises';
import type { Expected } from './photos.ts';
import type { World } from './world.ts';

const ANSWER_MS = 5_000;

export type Accepted = Expected & { id: number; path: string; acceptedAt: number };

export type Flow = {
  /** Photos that the receiver has answered with 200. */
  accepted: Accepted[];
  /** Posts that it refused, or did not answer. */
  readonly refused: number;
  /** No more posts; resolves once those under way are answered. */
  stop(): Promise<void>;
};

/** Posts a photo and tells its id, or undefined where the receiver did not take it. */
export async function post({ receiver, photos }: World, name: string): Promise<Accepted | undefined> {
  const { path, expected } = await photos.next(name);
  try {
    const response = await fetch(`${receiver.url}/image/post`, {
      method: 'POST',
      headers: { accept: 'application/json' },
      body: JSON.stringify({ path }),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (response.status !== 200) return undefined;
    const { images } = (await response.json()) as { images: { id: number }[] };
    return images[0] && { ...expected, path, id: images[0].id, acceptedAt: Date.now() };
  } catch {
    return undefined; // the receiver is away: nothing was promised
  }
}

/** Posts real photos steadily, whatever happens to the system. */
export function startFlow(world: World, name: string, { perSecond }: { perSecond: number }): Flow {
  const accepted: Accepted[] = [];
  const underWay = new Set<Promise<void>>();
  let refused = 0;
  let isStopped = false;

  async function run(): Promise<void> {
    while (!isStopped) {
      const one = post(world, name).then((photo) => {
        if (photo) accepted.push(photo);
        else refused += 1;
        underWay.delete(one);
      });
      underWay.add(one);
      await delay(1_000 / perSecond);
    }
  }

  const running = run();
  return {
    accepted,
    get refused() {
      return refused;
    },
    async stop() {
      isStopped = true;
      await running;
      await Promise.all(underWay);
    },
  };
}
