import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HostPort } from '@kube-face/shared-lib/env';
import { decodeImageId, IMAGES_CHANNEL, IMAGES_TOPIC } from '@kube-face/shared-lib/image-id';
import type { Logger } from '@kube-face/shared-lib/logger';
import type { Message } from 'nsqjs';
import { lookupTopic, type Nsqd } from './nsq-http.ts';
import { createNsqdReader, type NsqdReader } from './nsqd-reader.ts';
import type { Disposition } from './process-image.ts';

const POLL_MS = 2_000;

export type ConsumerOptions = {
  lookupAddresses: readonly HostPort[];
  handle: (id: number) => Promise<Disposition>;
  /** Messages in hand at once, over all nsqds. */
  maxInFlight: number;
  /** After how long nsqd gives a message to another, unless it is touched. */
  messageTimeoutMs: number;
  pollMs?: number;
  onQueueTime?: (seconds: number) => void;
  onChange?: (state: { messages: number; nsqds: number }) => void;
  log: Logger;
};

export type Consumer = {
  setMaxInFlight(messages: number): void;
  /** No messages while at least one reason stands. */
  pause(reason: string): void;
  resume(reason: string): void;
  /** Takes no more messages; resolves once those in hand are answered. */
  stop(): Promise<void>;
};

/**
 * Takes ids from every nsqd that has the topic. Asks all nsqlookupds, every 2 s; one that is away or talks nonsense is passed
 * over. A message is finished or requeued as `handle` says, and touched until then.
 */
export function startConsumer(options: ConsumerOptions): Consumer {
  const {
    lookupAddresses,
    handle,
    messageTimeoutMs,
    pollMs = POLL_MS,
    onQueueTime = () => {},
    onChange = () => {},
    log,
  } = options;
  const readers = new Map<string, NsqdReader>(); // by address
  const inHand = new Set<Promise<void>>();
  const touched = new Set<Message>();
  const reasons = new Set<string>();
  const silentLookups = new Set<string>();
  let maxInFlight = options.maxInFlight;
  let isStopped = false;
  let isBalancing = false;

  // Each nsqd may have out whatever the others have not: one that holds the whole backlog gets all of it. And each at least one
  // message, so that none is forgotten.
  function balance() {
    isBalancing = false;
    for (const reader of readers.values()) reader.setMaxInFlight(Math.max(1, maxInFlight - inHand.size + reader.inFlight));
  }

  function balanceSoon() {
    onChange({ messages: inHand.size, nsqds: [...readers.values()].filter(({ isConnected }) => isConnected).length });
    if (isBalancing) return;
    isBalancing = true;
    setImmediate(balance);
  }

  async function answer(message: Message, id: number): Promise<void> {
    touched.add(message);
    const disposition = await handle(id);
    touched.delete(message);
    if (disposition.kind === 'finish') message.finish();
    else message.requeue(disposition.delayMs, false); // false: the others do not back off
  }

  function onMessage(message: Message): Promise<void> | undefined {
    const id = decodeImageId(message.body);
    if (id === undefined) {
      log.warn({ bytes: message.body.length }, 'message is not an image id; dropped');
      message.finish();
      return undefined;
    }
    onQueueTime(Math.max(0, Date.now() - Number(message.timestamp / 1_000_000n)) / 1_000);
    const done = answer(message, id).finally(() => {
      inHand.delete(done);
      balanceSoon();
    });
    inHand.add(done);
    balanceSoon();
    return done;
  }

  async function ask(lookup: HostPort) {
    const name = `${lookup.host}:${lookup.port}`;
    try {
      const nsqds = await lookupTopic(lookup, IMAGES_TOPIC);
      if (silentLookups.delete(name)) log.info({ nsqlookupd: name }, 'nsqlookupd answers again');
      return nsqds;
    } catch (error) {
      if (!silentLookups.has(name)) log.warn({ nsqlookupd: name, error }, 'nsqlookupd does not answer');
      silentLookups.add(name);
      return [];
    }
  }

  function read({ address, tcpPort }: Nsqd): void {
    const name = `${address}:${tcpPort}`;
    if (isStopped || readers.has(name)) return;
    const reader = createNsqdReader({
      address: { host: address, port: tcpPort },
      topic: IMAGES_TOPIC,
      channel: IMAGES_CHANNEL,
      maxInFlight,
      messageTimeoutMs,
      isPaused: () => reasons.size > 0 || isStopped,
      onMessage,
      onConnected: balanceSoon,
      onClosed: () => {
        readers.delete(name); // found again by the next poll, if it is back
        balanceSoon();
      },
      log,
    });
    readers.set(name, reader);
  }

  // Each by itself: whoever is slow to answer holds nobody up.
  function poll(): void {
    for (const lookup of lookupAddresses)
      void ask(lookup)
        .then((nsqds) => nsqds.forEach(read))
        .catch((error) => log.error({ error }, 'an nsqd could not be read from'));
  }
  const pollTimer = setInterval(poll, pollMs);
  const touchTimer = setInterval(() => {
    for (const message of touched) message.touch();
  }, messageTimeoutMs / 3);
  poll();

  return {
    setMaxInFlight(messages) {
      if (messages === maxInFlight) return;
      maxInFlight = messages;
      balanceSoon();
    },
    pause(reason) {
      reasons.add(reason);
      for (const reader of readers.values()) reader.pause();
    },
    resume(reason) {
      reasons.delete(reason);
      if (reasons.size === 0 && !isStopped) for (const reader of readers.values()) reader.unpause();
    },
    async stop() {
      isStopped = true;
      clearInterval(pollTimer);
      for (const reader of readers.values()) reader.pause();
      while (inHand.size > 0) await Promise.all(inHand);
      clearInterval(touchTimer);
      await nextTurn(); // nsqjs sends an answer a tick after it was given, and nothing once it is closed
      for (const reader of readers.values()) reader.close();
    },
  };
}
