import { connect } from 'node:net';
import { hostname } from 'node:os';
import type { HostPort } from '@kube-face/shared-lib/env';
import { IMAGES_CHANNEL, IMAGES_TOPIC } from '@kube-face/shared-lib/image-id';
import type { Logger } from '@kube-face/shared-lib/logger';
import { countMessages, listNsqds, type Nsqd } from './nsq-http.ts';

const CONNECT_MS = 1_000;

// While photos flow, a queue that has no backlog is empty now and then: so many looks, as long as it holds no more than a few.
const LOOKS = 8;
const FEW = 100;

export type QueueState = {
  /** Whether every nsqd there is answers, and at one moment none holds a message. */
  isEmpty(): Promise<boolean>;
  /** Which of these (names as in `images.queued_on`) are gone for certain. */
  findGone(names: readonly string[]): Promise<string[]>;
};

/**
 * What the nsqds hold, asked from outside. Every doubt counts as a message held, or as an nsqd still there: publishing an id
 * twice costs work, and a backlog published twice much of it.
 */
export function createQueueState(options: {
  lookupAddresses: readonly HostPort[];
  /** Between two looks at who is there: an nsqlookupd that has just started knows nobody until they have found it (15 s). */
  wait: () => Promise<unknown>;
  /** Between two looks at what a queue holds. */
  pause: () => Promise<unknown>;
  log: Logger;
}): QueueState {
  const { lookupAddresses, wait, pause, log } = options;

  async function listAll(): Promise<Nsqd[]> {
    const lists = await Promise.all(
      lookupAddresses.map(async (address) => {
        try {
          return await listNsqds(address);
        } catch (error) {
          log.warn({ nsqlookupd: `${address.host}:${address.port}`, error }, 'nsqlookupd does not answer');
          return [];
        }
      }),
    );
    return lists.flat();
  }

  async function missing(names: readonly string[]): Promise<string[]> {
    const nsqds = await listAll();
    if (nsqds.length === 0) return []; // nobody is known, so nothing is known about them
    const known = new Set(
      nsqds.flatMap(({ address, hostname: name, tcpPort }) => [`${address}:${tcpPort}`, `${name}:${tcpPort}`]),
    );
    const unknown = await Promise.all(
      names.filter((name) => !known.has(name)).map(async (name) => ((await answers(name)) ? [] : [name])),
    );
    return unknown.flat();
  }

  return {
    async isEmpty() {
      const nsqds = await listAll();
      if (nsqds.length === 0) return false;
      try {
        for (let look = 1; ; look += 1) {
          const counts = await Promise.all(nsqds.map((nsqd) => countMessages(nsqd, IMAGES_TOPIC, IMAGES_CHANNEL)));
          const messages = counts.reduce((sum, count) => sum + count, 0);
          if (messages === 0) return true;
          if (messages > FEW || look === LOOKS) return false;
          await pause();
        }
      } catch (error) {
        log.warn({ error }, 'an nsqd does not say what it holds');
        return false;
      }
    },
    async findGone(names) {
      const first = names.length > 0 ? await missing(names) : [];
      if (first.length === 0) return [];
      await wait();
      return missing(first);
    },
  };
}

/** Whether something listens there. A pod's own name is not resolved by others, which reads as no. */
function answers(name: string): Promise<boolean> {
  const colon = name.lastIndexOf(':');
  const host = name.slice(0, colon);
  return new Promise((resolve) => {
    const socket = connect({ host: host === hostname() ? '127.0.0.1' : host, port: Number(name.slice(colon + 1)) });
    const settle = (isThere: boolean) => {
      socket.destroy();
      resolve(isThere);
    };
    socket.setTimeout(CONNECT_MS, () => settle(false));
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
