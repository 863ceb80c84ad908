import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { silent } from '@kube-face/shared-lib/logger';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createQueueState, type QueueState } from '../src/queue-state.ts';

/** nsqlookupd and the one nsqd that it knows, in one server. */
let server: Server;
let port: number;
/** What nsqd says of itself, look by look; the last one stays. Undefined: it fails. */
let looks: (number | undefined)[];
let asked: number;
let listed: { broadcast_address: string; hostname: string; tcp_port: number; http_port: number }[];
let pauses: number;
let queue: QueueState;

beforeEach(async () => {
  looks = [0];
  asked = 0;
  pauses = 0;
  server = createServer((request, response) => {
    if (request.url === '/nodes') return response.end(JSON.stringify({ producers: listed }));
    const messages = looks[Math.min(asked, looks.length - 1)];
    asked += 1;
    if (messages === undefined) return response.writeHead(500).end();
    const channel = { channel_name: 'ch', depth: 0, in_flight_count: messages, deferred_count: 0 };
    return response.end(JSON.stringify({ topics: [{ topic_name: 'images', depth: 0, channels: [channel] }] }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
  listed = [{ broadcast_address: '127.0.0.1', hostname: 'pod-1', tcp_port: 4150, http_port: port }];
  queue = createQueueState({
    lookupAddresses: [{ host: '127.0.0.1', port }],
    wait: async () => {},
    pause: async () => {
      pauses += 1;
    },
    log: silent,
  });
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

test('a queue that holds nothing is empty', async () => {
  expect(await queue.isEmpty()).toBe(true);
});

test('while photos flow, a moment without one is enough', async () => {
  looks = [3, 1, 2, 0, 5];

  expect(await queue.isEmpty()).toBe(true);
  expect(pauses).toBe(3);
});

test('a queue that is never empty is looked at some times, then left', async () => {
  looks = [1];

  expect(await queue.isEmpty()).toBe(false);
  expect(asked).toBe(8);
});

test('a backlog is not waited for', async () => {
  looks = [5_000];

  expect(await queue.isEmpty()).toBe(false);
  expect(asked).toBe(1);
});

test('an nsqd that fails is not taken for empty, nor is a queue of which no nsqd is known', async () => {
  looks = [undefined];
  expect(await queue.isEmpty()).toBe(false);

  listed = [];
  expect(await queue.isEmpty()).toBe(false);
});

test('an nsqd is gone when nobody lists it under any of its names, and nothing listens there', async () => {
  const names = ['127.0.0.1:4150', 'pod-1:4150', 'pod-2:4150', 'nowhere.invalid:4150', `127.0.0.1:${port}`];

  expect(await queue.findGone(names)).toEqual(['pod-2:4150', 'nowhere.invalid:4150']);
});

test('an nsqlookupd that knows nobody, or has just started, makes no nsqd gone', async () => {
  const [pod2] = listed.map((one) => ({ ...one, hostname: 'pod-2' }));
  const starting = createQueueState({
    lookupAddresses: [{ host: '127.0.0.1', port }],
    async wait() {
      if (pod2) listed.push(pod2); // found its way meanwhile
    },
    pause: async () => {},
    log: silent,
  });
  expect(await starting.findGone(['pod-2:4150'])).toEqual([]);

  listed = [];
  expect(await queue.findGone(['pod-2:4150'])).toEqual([]);
});
