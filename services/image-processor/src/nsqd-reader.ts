import type { HostPort } from '@kube-face/shared-lib/env';
import type { Logger } from '@kube-face/shared-lib/logger';
import { type Message, Reader } from 'nsqjs';

// A connection over which nothing comes for this long is dead: nsqd's heartbeat comes in between.
const HEARTBEAT_S = 5;
const DEAD_S = 15;

// What nsqd takes as the time of a message, from its own flags.
const TIMEOUT_MS = { min: 1_000, max: 900_000 };

/** How nsqjs 0.13 keeps the number of messages that nsqd may have out; its typings leave it out. */
type WithReadyCount = { readerRdy: { maxInFlight: number; balance(): void } };

export type NsqdReaderOptions = {
  address: HostPort;
  topic: string;
  channel: string;
  maxInFlight: number;
  messageTimeoutMs: number;
  isPaused: () => boolean;
  /** Resolves once the message is answered; undefined where it is already. */
  onMessage: (message: Message) => Promise<void> | undefined;
  onConnected: () => void;
  /** Called once; the reader is of no use any more. */
  onClosed: () => void;
  log: Logger;
};

export type NsqdReader = {
  readonly isConnected: boolean;
  readonly inFlight: number;
  setMaxInFlight(messages: number): void;
  pause(): void;
  unpause(): void;
  close(): void;
};

/**
 * Subscribes to one nsqd, for the life of one connection.
 *
 * One nsqjs Reader an nsqd, and no discovery of its own, because a Reader that serves several forgets a healthy connection
 * whenever another cannot be made, forgets that it is paused when the last one breaks, and lets an nsqlookupd that answers
 * nonsense end the process.
 */
export function createNsqdReader(options: NsqdReaderOptions): NsqdReader {
  const { address, topic, channel, isPaused, onMessage, onConnected, onClosed, log } = options;
  const name = `${address.host}:${address.port}`;
  const reader = new Reader(topic, channel, {
    nsqdTCPAddresses: [name],
    maxInFlight: options.maxInFlight,
    maxAttempts: 0, // never drop a message for having come often
    heartbeatInterval: HEARTBEAT_S,
    idleTimeout: DEAD_S,
    outputBufferSize: -1, // none: a message that comes alone would wait 250 ms for company
    messageTimeout: Math.min(TIMEOUT_MS.max, Math.max(TIMEOUT_MS.min, options.messageTimeoutMs)),
  });
  const { readerRdy } = reader as Reader & WithReadyCount;
  let isConnected = false;
  let isClosed = false;
  let inFlight = 0;

  reader.on('error', (error) => {
    // Answers to a message that has timed out meanwhile; it comes again and finds its row settled.
    if (/E_(FIN|REQ|TOUCH)_FAILED/.test(error.message)) log.debug({ nsqd: name, error }, 'nsqd gave the message to another');
    else log.warn({ nsqd: name, error }, 'nsqd connection failed');
  });
  reader.on('ready', () => {
    isConnected = true;
    if (isPaused()) reader.pause();
    log.info({ nsqd: name }, 'taking ids from nsqd');
    onConnected();
  });
  reader.on('nsqd_closed', () => {
    if (isConnected && !isClosed) log.warn({ nsqd: name }, 'nsqd is gone');
    isConnected = false;
    if (!isClosed) onClosed();
    isClosed = true;
    reader.close();
  });
  reader.on('message', (message) => {
    const answered = onMessage(message);
    if (!answered) return;
    inFlight += 1;
    void answered.finally(() => {
      inFlight -= 1;
    });
  });
  reader.connectToNSQD(address.host, address.port);

  return {
    get isConnected() {
      return isConnected;
    },
    get inFlight() {
      return inFlight;
    },
    setMaxInFlight(messages) {
      if (messages === readerRdy.maxInFlight || !isConnected) return;
      readerRdy.maxInFlight = messages;
      readerRdy.balance();
    },
    pause: () => reader.pause(),
    unpause: () => reader.unpause(),
    close() {
      isClosed = true;
      reader.close();
    },
  };
}
