import { connect } from 'node:net';
import { Writer } from 'nsqjs';
import { backoffMs } from './backoff.ts';
import type { HostPort } from './env.ts';
import { encodeImageId, IMAGES_CHANNEL, IMAGES_TOPIC } from './image-id.ts';
import type { Logger } from './logger.ts';
import { encodeMpub } from './nsq-mpub.ts';

const ANSWER_MS = 2_000;
const RECONNECT = { baseMs: 100, maxMs: 1_000 };

/** How a Writer of nsqjs 0.13 that is ready sends a command and waits for its answer; its typings leave it out. */
type WithConnection = { conn: { write(command: Buffer): void; messageCallbacks: ((error: Error | null) => void)[] } };
type Connected = Writer & WithConnection;

export class PublishError extends Error {
  override readonly name = 'PublishError';
  readonly code: 'away' | 'timeout' | 'closed';

  constructor(code: PublishError['code'], options?: ErrorOptions) {
    super(`nsqd has not acknowledged the ids: ${code}`, options);
    this.code = code;
  }
}

export type ImagePublisher = {
  /** Resolves once nsqd has acknowledged all ids, which go out in one message block. Throws PublishError after 2 s at the latest. */
  publish(ids: readonly number[]): Promise<void>;
  readonly isConnected: boolean;
  close(): Promise<void>;
};

/**
 * Publishes image ids to one nsqd. nsqjs's Writer never reconnects, answers twice when it is not ready, and waits for an answer
 * for ever; so each Writer here lives for one connection, is used only while ready, and is thrown away after the first doubt
 * (answers carry no number: behind a late one every following would be taken for its neighbour's).
 */
export function createImagePublisher({ address, log }: { address: HostPort; log: Logger }): ImagePublisher {
  let writer: Connected | undefined; // the one that is ready
  let connecting: Connected | undefined;
  let failures = 0;
  let closed = false;
  let retryTimer: NodeJS.Timeout | undefined;
  const waiting = new Set<() => void>(); // woken when the state of the connection changes
  const inFlight = new Map<Writer, Set<(error: PublishError) => void>>();

  function wake() {
    for (const wakeOne of [...waiting]) wakeOne();
  }

  function open() {
    if (closed || connecting || writer) return;
    const next = new Writer(address.host, address.port) as Connected;
    connecting = next;
    next.on('ready', () => {
      if (connecting !== next) return next.close();
      connecting = undefined;
      writer = next;
      failures = 0;
      log.info({ ...address }, 'connected to nsqd');
      void createTopic(address).catch((error) => log.warn({ error }, 'could not create the topic; the first photo does'));
      wake();
    });
    next.on('error', (error) => drop(next, error));
    next.on('closed', () => drop(next));
    next.connect();
  }

  function drop(one: Writer, error?: Error) {
    const wasUsed = one === writer || one === connecting;
    if (one === writer) writer = undefined;
    if (one === connecting) connecting = undefined;
    for (const fail of inFlight.get(one) ?? []) fail(new PublishError('away', { cause: error }));
    inFlight.delete(one);
    if (!wasUsed) return;
    one.close();
    failures += 1;
    if (failures === 1 && !closed) log.warn({ ...address, error }, 'nsqd is away');
    wake();
    if (!closed) retryTimer = setTimeout(open, backoffMs(failures, RECONNECT));
  }

  /** The ready Writer, waited for only while the very first attempt to connect is under way. */
  async function ready(deadline: AbortSignal): Promise<Connected> {
    while (!writer) {
      if (closed) throw new PublishError('closed');
      if (failures > 0 || deadline.aborted) throw new PublishError('away');
      await new Promise<void>((resolve) => {
        const done = () => {
          waiting.delete(done);
          deadline.removeEventListener('abort', done);
          resolve();
        };
        waiting.add(done);
        deadline.addEventListener('abort', done);
      });
    }
    return writer;
  }

  async function publish(ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return;
    const deadline = AbortSignal.timeout(ANSWER_MS);
    const target = await ready(deadline);
    await new Promise<void>((resolve, reject) => {
      const pending = inFlight.get(target) ?? new Set();
      inFlight.set(target, pending);
      const settle = (error?: Error | null) => {
        pending.delete(settle);
        deadline.removeEventListener('abort', onLate);
        if (error) reject(error instanceof PublishError ? error : new PublishError('away', { cause: error }));
        else resolve();
      };
      const onLate = () => {
        settle(new PublishError('timeout'));
        drop(target);
      };
      pending.add(settle);
      deadline.addEventListener('abort', onLate);
      if (ids.length === 1) return void target.publish(IMAGES_TOPIC, encodeImageId(ids[0] as number), settle);
      target.conn.messageCallbacks.push(settle);
      target.conn.write(encodeMpub(ids));
    });
  }

  open();
  return {
    publish,
    get isConnected() {
      return writer !== undefined;
    },
    async close() {
      closed = true;
      clearTimeout(retryTimer);
      wake();
      const last = writer ?? connecting;
      if (last) drop(last);
    },
  };
}

/**
 * Makes the topic and its channel, so that consumers find the nsqd before the first photo: subscribing does, and whoever
 * subscribes without asking for messages takes none away.
 *
 *   "  V2" "SUB images ch\n"   →   [size, 4 bytes][frame type 0, 4 bytes] "OK"
 */
function createTopic({ host, port }: HostPort): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => socket.write(`  V2SUB ${IMAGES_TOPIC} ${IMAGES_CHANNEL}\n`));
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error('no answer')));
    socket.once('data', (answer) => {
      socket.end();
      if (answer.includes('OK')) resolve();
      else reject(new Error(`nsqd refused the subscription: ${answer.subarray(8).toString('latin1')}`));
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('nsqd closed the connection')));
  });
}
