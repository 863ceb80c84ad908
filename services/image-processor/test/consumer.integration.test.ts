import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import type { HostPort } from '@kube-face/shared-lib/env';
import { encodeImageId } from '@kube-face/shared-lib/image-id';
import { silent } from '@kube-face/shared-lib/logger';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Nsq, startNsq } from '../../../test/harness/nsq.ts';
import { type Consumer, type ConsumerOptions, startConsumer } from '../src/consumer.ts';
import type { Disposition } from '../src/process-image.ts';

let nsq: Nsq;
let consumer: Consumer | undefined;
let handled: number[];
let letGo: Map<number, (disposition: Disposition) => void>;
let state: { messages: number; nsqds: number };

const closers: (() => unknown)[] = [];

beforeEach(async () => {
  nsq = await startNsq();
  handled = [];
  letGo = new Map();
  state = { messages: 0, nsqds: 0 };
});

afterEach(async () => {
  for (const finish of letGo.values()) finish({ kind: 'finish' });
  await consumer?.stop();
  consumer = undefined;
  for (const close of closers.splice(0)) await close();
  await nsq.stop();
});

const lookup = (): HostPort => ({ host: '127.0.0.1', port: nsq.ports.lookupHttp });

/** Finishes every message at once. */
async function finish(id: number): Promise<Disposition> {
  handled.push(id);
  return { kind: 'finish' };
}

/** Keeps the message until the test lets it go. */
function hold(id: number): Promise<Disposition> {
  handled.push(id);
  return new Promise((resolve) => letGo.set(id, resolve));
}

function start(options: Partial<ConsumerOptions> = {}): Consumer {
  consumer = startConsumer({
    lookupAddresses: [lookup()],
    handle: finish,
    maxInFlight: 4,
    messageTimeoutMs: 60_000,
    pollMs: 200,
    onChange: (now) => {
      state = now;
    },
    log: silent,
    ...options,
  });
  return consumer;
}

async function publish(body: Buffer, http = nsq.ports.nsqdHttp): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${http}/pub?topic=images`, { method: 'POST', body: new Uint8Array(body) });
  expect(response.status).toBe(200);
}

type Channel = {
  depth: number;
  in_flight_count: number;
  deferred_count: number;
  requeue_count: number;
  clients: { ready_count: number }[];
};

async function channel(http = nsq.ports.nsqdHttp): Promise<Channel> {
  const response = await fetch(`http://127.0.0.1:${http}/stats?format=json&topic=images&channel=ch`);
  const { topics } = (await response.json()) as { topics: { channels: Channel[] }[] };
  const [first] = topics[0]?.channels ?? [];
  if (!first) throw new Error('no channel yet');
  return first;
}

const soon = { timeout: 15_000, interval: 50 };

/** An nsqlookupd that talks nonsense. */
async function startLiar(answer: RequestListener): Promise<HostPort> {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

test('takes ids, and finishes what is handled', async () => {
  await publish(encodeImageId(7));
  start();
  await publish(encodeImageId(2 ** 40));

  await vi.waitFor(() => expect(handled.toSorted()).toEqual([2 ** 40, 7]), soon);
  await vi.waitFor(async () => expect(await channel()).toMatchObject({ depth: 0, in_flight_count: 0 }), soon);
});

test('what is no id is dropped, and what follows is not', async () => {
  for (const body of ['hello', '123456789']) await publish(Buffer.from(body));
  await publish(Buffer.alloc(8));
  await publish(encodeImageId(7));
  start();

  await vi.waitFor(() => expect(handled).toEqual([7]), soon);
  await vi.waitFor(async () => expect(await channel()).toMatchObject({ depth: 0, in_flight_count: 0 }), soon);
});

test('a message that is requeued comes again, and the others meanwhile', async () => {
  let first = true;
  start({
    async handle(id) {
      handled.push(id);
      if (id !== 7 || !first) return { kind: 'finish' };
      first = false;
      return { kind: 'requeue', delayMs: 300 };
    },
  });
  for (const id of [7, 8, 9]) await publish(encodeImageId(id));

  await vi.waitFor(() => expect(handled).toHaveLength(4), soon);
  expect(handled.at(-1)).toBe(7);
});

test('asks nsqd not to keep a message back until others go with it, and for as long as it may take', async () => {
  const listener = createTcpServer();
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  closers.push(() => listener.close());
  const { port } = listener.address() as AddressInfo;
  const nsqd = { broadcast_address: '127.0.0.1', hostname: 'a', tcp_port: port, http_port: 1 };
  const connected = once(listener, 'connection');
  start({ lookupAddresses: [await startLiar((_request, response) => void response.end(JSON.stringify({ producers: [nsqd] })))] });
  const [socket] = (await connected) as [Socket];
  let greeting = Buffer.alloc(0);
  for await (const piece of socket) {
    greeting = Buffer.concat([greeting, piece as Buffer]);
    if (greeting.length > 17 && greeting.length === 17 + greeting.readUInt32BE(13)) break; // leaving the loop ends the connection
  }

  // "  V2" "IDENTIFY\n" [size, 4 bytes][JSON]
  expect(greeting.subarray(0, 13).toString()).toBe('  V2IDENTIFY\n');
  expect(JSON.parse(greeting.subarray(17).toString())).toMatchObject({
    output_buffer_size: -1,
    msg_timeout: 60_000,
    heartbeat_interval: 5_000,
  });
});

test('has no more in hand than it may, and more when it may more', async () => {
  start({ handle: hold, maxInFlight: 3 }).setMaxInFlight(3);
  for (let id = 1; id <= 20; id += 1) await publish(encodeImageId(id));
  await vi.waitFor(async () => expect((await channel()).in_flight_count).toBe(3), soon);
  expect(state.messages).toBe(3);

  consumer?.setMaxInFlight(8);
  await vi.waitFor(async () => expect((await channel()).in_flight_count).toBe(8), soon);

  consumer?.setMaxInFlight(2);
  await vi.waitFor(async () => expect((await channel()).clients[0]?.ready_count).toBe(2), soon);
  for (const finishOne of letGo.values()) finishOne({ kind: 'finish' });
  letGo.clear();
  await vi.waitFor(async () => expect((await channel()).in_flight_count).toBe(2), soon);
});

test('keeps a message beyond its time while it is worked on', async () => {
  start({ handle: hold, messageTimeoutMs: 1_000 });
  await publish(encodeImageId(7));
  await vi.waitFor(() => expect(handled).toEqual([7]), soon);
  const until = Date.now() + 3_500;
  await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(until), soon);

  expect(handled).toEqual([7]);
  expect(await channel()).toMatchObject({ in_flight_count: 1, requeue_count: 0 });
});

test('takes nothing while a reason to pause stands', async () => {
  const taking = start();
  await vi.waitFor(() => expect(state.nsqds).toBe(0), soon);
  taking.pause('circuit');
  taking.pause('database');
  for (const id of [1, 2, 3]) await publish(encodeImageId(id));
  await vi.waitFor(() => expect(state.nsqds).toBe(1), soon);
  taking.resume('circuit');
  const until = Date.now() + 1_000;
  await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(until), soon);
  expect(await channel()).toMatchObject({ depth: 3, clients: [{ ready_count: 0 }] });
  expect(handled).toEqual([]);

  taking.resume('database');
  await vi.waitFor(() => expect(handled.toSorted()).toEqual([1, 2, 3]), soon);
});

test('is still paused after nsqd was restarted', async () => {
  const taking = start();
  await publish(encodeImageId(1));
  await vi.waitFor(() => expect(handled).toEqual([1]), soon);
  taking.pause('circuit');
  await nsq.nsqd.kill();
  await vi.waitFor(() => expect(state.nsqds).toBe(0), soon);
  await nsq.nsqd.start();
  await publish(encodeImageId(2));
  await vi.waitFor(() => expect(state.nsqds).toBe(1), soon);
  await vi.waitFor(async () => expect(await channel()).toMatchObject({ depth: 1, in_flight_count: 0 }), soon);
  expect(handled).toEqual([1]);

  taking.resume('circuit');
  await vi.waitFor(() => expect(handled).toEqual([1, 2]), soon);
});

test('goes on by itself when nsqd comes back, and when nsqlookupd does', async () => {
  start();
  await publish(encodeImageId(1));
  await vi.waitFor(() => expect(handled).toEqual([1]), soon);
  await nsq.nsqlookupd.kill();
  await publish(encodeImageId(2));
  await vi.waitFor(() => expect(handled).toEqual([1, 2]), soon); // whoever is connected stays so

  await nsq.nsqd.kill();
  await nsq.nsqlookupd.start();
  await nsq.nsqd.start();
  await publish(encodeImageId(3));
  await vi.waitFor(() => expect(handled).toContain(3), soon);
});

test('nothing needs to be up when it starts', async () => {
  await nsq.nsqd.stop();
  await nsq.nsqlookupd.stop();
  start();
  await nsq.nsqlookupd.start();
  await nsq.nsqd.start();
  await publish(encodeImageId(7));

  await vi.waitFor(() => expect(handled).toEqual([7]), soon);
});

test.each<[string, RequestListener]>([
  ['says no', (_request, response) => void response.writeHead(500).end()],
  ['is no JSON', (_request, response) => void response.end('<html>')],
  ['is another JSON', (_request, response) => void response.end('{"producers":{"a":1}}')],
  ['has no list', (_request, response) => void response.end('null')],
  [
    'names a port that is none',
    (_request, response) =>
      void response.end('{"producers":[{"broadcast_address":"127.0.0.1","hostname":"a","tcp_port":99999,"http_port":1}]}'),
  ],
  ['never answers', () => {}],
  ['breaks off', (request) => void request.socket.destroy()],
])('another nsqlookupd whose answer %s does no harm', async (_name, answer) => {
  await publish(encodeImageId(7));
  start({ lookupAddresses: [await startLiar(answer), lookup(), { host: 'nowhere.invalid', port: 4161 }] });

  await vi.waitFor(() => expect(handled).toEqual([7]), soon);
});

test('an nsqd that is listed and not there takes nothing from the others', async () => {
  const dead = { broadcast_address: '127.0.0.1', hostname: 'a', tcp_port: 1, http_port: 1 };
  const liar = await startLiar((_request, response) => void response.end(JSON.stringify({ producers: [dead] })));
  start({ lookupAddresses: [liar, lookup()], handle: hold, maxInFlight: 2 });
  await publish(encodeImageId(1));
  await vi.waitFor(() => expect(handled).toEqual([1]), soon);
  const until = Date.now() + 1_000; // several polls, each of which fails to connect
  await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(until), soon);

  for (let id = 2; id <= 9; id += 1) await publish(encodeImageId(id));
  consumer?.setMaxInFlight(5);
  await vi.waitFor(async () => expect((await channel()).in_flight_count).toBe(5), soon);
  consumer?.pause('circuit');
  await vi.waitFor(async () => expect((await channel()).clients[0]?.ready_count).toBe(0), soon);
});

test('stops when what it has in hand is answered, and takes nothing more', async () => {
  const taking = start({ handle: hold, maxInFlight: 2 });
  for (let id = 1; id <= 5; id += 1) await publish(encodeImageId(id));
  await vi.waitFor(() => expect(handled).toHaveLength(2), soon);
  let isStopped = false;
  const stopped = taking.stop().then(() => {
    isStopped = true;
  });
  const [first = 0, second = 0] = handled;
  letGo.get(first)?.({ kind: 'finish' });
  await vi.waitFor(async () => expect((await channel()).in_flight_count).toBe(1), soon);
  expect(isStopped).toBe(false);

  letGo.get(second)?.({ kind: 'requeue', delayMs: 0 });
  await stopped;
  consumer = undefined;
  await vi.waitFor(async () => expect(await channel()).toMatchObject({ depth: 4, in_flight_count: 0, clients: [] }), soon);
  expect(handled).toHaveLength(2);
});
