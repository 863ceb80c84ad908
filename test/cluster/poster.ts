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

/** Bodies of the two posts in turn: one photo, then two. */
function nextPost(paths: string[], turn: number): { route: string; body: object } | undefined {
  const [first, second] = turn % 2 === 0 ? paths.splice(0, 1) : paths.splice(0, 2);
  if (first === undefined) return undefined;
  if (turn % 2 === 0) return { route: '/image/post', body: { path: first } };
  return { route: '/images/post', body: { paths: [first, second].flatMap((path) => (path === undefined ? [] : { path })) } };
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
  const tally: Tally = { requests: 0, accepted: new Map(), refused: [], later: 0 };
  const underWay = new Set<Promise<void>>();
  const left = [...paths];
  let stopped = false;

  function note(what: string, { status, text }: Answer) {
    if (status === 503) tally.later += 1;
    else if (status !== 200) tally.refused.push(`${what}: ${status} ${text.slice(0, 200)}`);
  }

  async function send(what: string, url: string, method: string, body?: object) {
    tally.requests += 1;
    try {
      const answer = await ask(method, url, body && JSON.stringify(body));
      note(what, answer);
      if (method === 'GET' || answer.status !== 200) return;
      for (const { id, path } of (JSON.parse(answer.text) as { images: Entry[] }).images)
        if (id !== undefined) tally.accepted.set(path, id);
    } catch (error) {
      tally.refused.push(`${new Date().toISOString()} ${what}: ${error instanceof Error ? error.message : error}`);
    }
  }

  function start(sending: Promise<void>) {
    underWay.add(sending);
    void sending.finally(() => underWay.delete(sending));
  }

  async function loop() {
    for (let turn = 0; !stopped; turn += 1) {
      const post = nextPost(left, turn);
      if (post) start(send(post.route, receiverUrl + post.route, 'POST', post.body));
      if (turn % 5 === 0) start(send('the page', `${frontendUrl}/`, 'GET'));
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
