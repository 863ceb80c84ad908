import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { silent } from '@kube-face/shared-lib/logger';
import { afterEach, expect, test, vi } from 'vitest';
import { drainQueue, queueDepth } from '../src/nsqd-stats.ts';

let server: Server | undefined;
afterEach(() => {
  server?.close();
  vi.useRealTimers();
});

async function nsqdThatSays(status: number, body: unknown) {
  server = createServer((_request, response) => response.writeHead(status).end(JSON.stringify(body)));
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

const channel = { channel_name: 'ch', depth: 3, in_flight_count: 2, deferred_count: 1 };

test("counts the photos' topic and channel alone", async () => {
  const address = await nsqdThatSays(200, {
    topics: [
      { topic_name: 'images', depth: 4, channels: [channel, { ...channel, channel_name: 'other' }] },
      { topic_name: 'other', depth: 9, channels: null },
    ],
  });
  expect(await queueDepth(address)).toEqual({ depth: 7, inFlight: 2, deferred: 1 });
});

test('an nsqd without topics holds nothing', async () => {
  expect(await queueDepth(await nsqdThatSays(200, { topics: null }))).toEqual({ depth: 0, inFlight: 0, deferred: 0 });
});

test('throws where nsqd does not say', async () => {
  const address = await nsqdThatSays(500, {});
  await expect(queueDepth(address)).rejects.toThrow('500');
});

test('drains until nothing is held', async () => {
  vi.useFakeTimers();
  let left = 3;
  const drained = drainQueue({ depth: async () => ({ depth: 0, inFlight: left--, deferred: 0 }), drainMs: 10_000, log: silent });
  await vi.advanceTimersByTimeAsync(600);
  await drained;
  expect(left).toBe(-1);
});

test.each([
  ['the time is up', 1_000, async () => ({ depth: 1, inFlight: 0, deferred: 0 })],
  ['nsqd does not say', 60_000, () => Promise.reject(new Error('away'))],
  ['no time was given', 0, async () => ({ depth: 1, inFlight: 0, deferred: 0 })],
])('stops draining when %s', async (_, drainMs, depth) => {
  vi.useFakeTimers();
  const drained = drainQueue({ depth, drainMs, log: silent });
  await vi.advanceTimersByTimeAsync(1_200);
  await expect(drained).resolves.toBeUndefined();
});
