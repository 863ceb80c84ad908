import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

const EVERY_MS = 300;
const ANSWER_MS = 20_000;

export type Tally = {
  /** Posts and page views. */
  requests: number;
  /** Path to id of every photo that the receiver said it took. */
  accepted: Map<string, number>;
  /** Requests without an HTTP answer, or with one that should not be; what happened, in words. */
  refused: string[];
  /** Answers of 503: nothing was saved, and the client is told to come again. */
  later: number;
  /** Paths of the posts among them. */
  notSaved: string[];
};

export type Poster = { readonly tally: Tally; stop(): Promise<Tally> };

type Answer = { status: number; text: string };

/** One request on a connection of its own, so that every one goes through the Service anew. */
export function ask(method: string, url: string, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method, agent: false, timeout: ANSWER_MS, headers: { accept: 'application/json' } },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
        response.once('error', reject);
      },
    );
    sent.once('timeout', () => sent.destroy(new Error('no answer')));
    sent.once('error', reject);
    sent.end(body);
  });
}

type Entry = { id?: number; path: string };

type Post = { route: string; paths: string[]; body: object };

/** The two posts in turn: one photo, then two. */
function nextPost(left: string[], turn: number): Post | undefined {
  const paths = left.splice(0, turn % 2 === 0 ? 1 : 2);
  const [first] = paths;
  if (first === undefined) return undefined;
  if (turn % 2 === 0) return { route: '/image/post', paths, body: { path: first } };
  return { route: '/images/post', paths, body: { paths: paths.map((path) => ({ path })) } };
}

/**
 * Posts photos at a steady pace, whatever the answers, and looks at the page in between; notes each answer. The paths are used
 * up one after another.
 */
export function createPoster({
  receiverUrl,
  frontendUrl,
  paths,
}: {
  receiverUrl: string;
  frontendUrl: string;
  paths: string[];
}): Poster {
  const tally: Tally = { requests: 0, accepted: new Map(), refused: [], later: 0, notSaved: [] };
  const underWay = new Set<Promise<unknown>>();
  const left = [...paths];
  let stopped = false;

  /** Undefined where there was none that it should be. */
  async function send(what: string, url: string, body?: object): Promise<Answer | undefined> {
    tally.requests += 1;
    try {
      const answer = await ask(body ? 'POST' : 'GET', url, body && JSON.stringify(body));
      if (answer.status === 503) tally.later += 1;
      if (answer.status === 200 || answer.status === 503) return answer;
      tally.refused.push(`${what}: ${answer.status} ${answer.text.slice(0, 200)}`);
    } catch (error) {
      tally.refused.push(`${new Date().toISOString()} ${what}: ${error instanceof Error ? error.message : error}`);
    }
    return undefined;
  }

  async function sendPost({ route, paths: sent, body }: Post): Promise<void> {
    const answer = await send(route, receiverUrl + route, body);
    if (answer?.status === 503) tally.notSaved.push(...sent);
    if (answer?.status !== 200) return;
    for (const { id, path } of (JSON.parse(answer.text) as { images: Entry[] }).images)
      if (id !== undefined) tally.accepted.set(path, id);
  }

  function start(sending: Promise<unknown>) {
    underWay.add(sending);
    void sending.finally(() => underWay.delete(sending));
  }

  async function loop() {
    for (let turn = 0; !stopped; turn += 1) {
      const post = nextPost(left, turn);
      if (post) start(sendPost(post));
      if (turn % 5 === 0) start(send('the page', `${frontendUrl}/`));
      await delay(EVERY_MS);
    }
  }

  const looping = loop();
  return {
    tally,
    async stop() {
      stopped = true;
      await looping;
      await Promise.all(underWay);
      return tally;
    },
  };
}
