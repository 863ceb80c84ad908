import { setTimeout as delay } from 'node:timers/promises';
import type { Expected } from './photos.ts';
import type { World } from './world.ts';

const ANSWER_MS = 5_000;

export type Accepted = Expected & { id: number; path: string; acceptedAt: number };

export type Flow = {
  /** Photos that the receiver has answered with 200. */
  accepted: Accepted[];
  /** Paths that it has answered with 503: nothing was saved. */
  putOff: string[];
  /** Answers that it must not give, in words. */
  faults: string[];
  /** Posts that it did not answer: nothing was promised. */
  readonly unanswered: number;
  /** No more posts; resolves once those under way are answered. */
  stop(): Promise<void>;
};

type Answer = { status: number; text: string };

/** Undefined where there is none. */
async function post(receiverUrl: string, path: string): Promise<Answer | undefined> {
  try {
    const response = await fetch(`${receiverUrl}/image/post`, {
      method: 'POST',
      headers: { accept: 'application/json' },
      body: JSON.stringify({ path }),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    return { status: response.status, text: await response.text() };
  } catch {
    return undefined;
  }
}

/** Posts real photos steadily, whatever happens to the system. */
export function startFlow(world: World, name: string, { perSecond }: { perSecond: number }): Flow {
  const accepted: Accepted[] = [];
  const putOff: string[] = [];
  const faults: string[] = [];
  const underWay = new Set<Promise<void>>();
  let unanswered = 0;
  let isStopped = false;

  async function postOne(): Promise<void> {
    const { path, expected } = await world.photos.next(name);
    const answer = await post(world.receiver.url, path);
    if (answer === undefined) unanswered += 1;
    else if (answer.status === 200) {
      const { images } = JSON.parse(answer.text) as { images: [{ id: number }] };
      accepted.push({ ...expected, path, id: images[0].id, acceptedAt: Date.now() });
    } else if (answer.status === 503) putOff.push(path);
    else faults.push(`${answer.status} ${answer.text}`);
  }

  async function run(): Promise<void> {
    while (!isStopped) {
      const one = postOne().finally(() => underWay.delete(one));
      underWay.add(one);
      await delay(1_000 / perSecond);
    }
  }

  const running = run();
  return {
    accepted,
    putOff,
    faults,
    get unanswered() {
      return unanswered;
    },
    async stop() {
      isStopped = true;
      await running;
      await Promise.all(underWay);
    },
  };
}
