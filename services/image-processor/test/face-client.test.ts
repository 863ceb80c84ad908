import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startTcpProxy } from '../../../test/harness/tcp-proxy.ts';
import { createFaceClient, type FaceClient } from '../src/face-client.ts';
import { type FakeFaceServer, startFakeFaceServer } from './fake-face-server.ts';
import { fakeFace } from './fakes.ts';

const never = new AbortController().signal;

let server: FakeFaceServer;
let client: FaceClient;

beforeEach(async () => {
  server = await startFakeFaceServer();
  client = createFaceClient({ address: server.address, callTimeoutMs: 500 });
});
afterEach(() => {
  client.close();
  server.stop();
});

test('an answer comes with everything that stands in it', async () => {
  const face = fakeFace([['hannibal_1.jpg', 0.25]]);
  server.answer = () => ({ imageName: 'hannibal_1.jpg', outcome: 'match', faces: [face], model: 'fake', galleryVersion: 7 });
  const answer = await client.identify('ä b.jpg', { signal: never });

  expect(server.calls).toEqual(['ä b.jpg']);
  expect(answer).toMatchObject({
    kind: 'recognised',
    imageName: 'hannibal_1.jpg',
    faces: [{ box: face.box, imageName: 'hannibal_1.jpg', candidates: [{ imageName: 'hannibal_1.jpg', distance: 0.25 }] }],
    galleryVersion: 7,
  });
});

test.each([
  [status.NOT_FOUND, undefined, 'missing_file'],
  [status.INVALID_ARGUMENT, undefined, 'unreadable_image'],
  [status.INVALID_ARGUMENT, 'too_large', 'too_large'],
  [status.PERMISSION_DENIED, 'outside_folder', 'outside_folder'],
])("status %s with word %s is the photo's own fault: %s", async (code, word, outcome) => {
  server.answer = () => ({ status: code, details: `${outcome}: because`, ...(word && { outcome: word }) });

  expect(await client.identify('a.jpg', { signal: never })).toEqual({ kind: 'refused', outcome, detail: 'because' });
});

test.each([
  [status.UNAVAILABLE, undefined, 'unavailable'],
  [status.UNAVAILABLE, 'backend_unavailable', 'unavailable'],
  [status.RESOURCE_EXHAUSTED, undefined, 'exhausted'],
  [status.UNIMPLEMENTED, undefined, 'unsupported'],
  [status.CANCELLED, undefined, 'cancelled'],
  [status.INTERNAL, 'internal', 'internal'],
  [status.UNKNOWN, undefined, 'internal'],
  [status.DEADLINE_EXCEEDED, 'timeout', 'timeout'],
])('status %s with word %s is no answer: %s', async (code, word, expected) => {
  server.answer = () => ({ status: code, began: true, ...(word && { outcome: word }) });

  await expect(client.identify('a.jpg', { signal: never })).rejects.toMatchObject({ code: expected, began: true });
});

test('a failure before the photo was taken up is told apart', async () => {
  server.answer = () => ({ status: status.INTERNAL });

  await expect(client.identify('a.jpg', { signal: never })).rejects.toMatchObject({ code: 'internal', began: false });
});

test.each([
  ['hang', true],
  ['wait', false],
] as const)('a deadline that passes tells whether the photo was taken up (%s)', async (behaviour, began) => {
  server.answer = () => behaviour;

  await expect(client.identify('a.jpg', { signal: never })).rejects.toMatchObject({ code: 'timeout', began });
});

test('a server that dies tells whether it had taken the photo up', async () => {
  const proxy = await startTcpProxy(Number(server.address.split(':')[1]));
  const through = createFaceClient({ address: `127.0.0.1:${proxy.port}`, callTimeoutMs: 5_000 });
  for (const behaviour of ['hang', 'wait'] as const) {
    server.answer = () => behaviour;
    const { length } = server.calls;
    const call = through.identify('a.jpg', { signal: never });
    const rejected = expect(call).rejects.toMatchObject({ code: 'unavailable', began: behaviour === 'hang' });
    await vi.waitFor(() => expect(server.calls).toHaveLength(length + 1));
    await through.isReady(); // its answer comes over the same connection, after the headers
    proxy.cut();
    await rejected;
  }
  through.close();
  await proxy.close();
});

test('nobody there: unavailable, and not begun', async () => {
  server.stop();

  await expect(client.identify('a.jpg', { signal: never })).rejects.toMatchObject({ code: 'unavailable', began: false });
  expect(await client.isReady()).toBe(false);
});

test('a call is given up when the signal says so, before it begins too', async () => {
  server.answer = () => 'hang';
  const given = new AbortController();
  const call = client.identify('a.jpg', { signal: given.signal });
  const rejected = expect(call).rejects.toMatchObject({ code: 'cancelled' });
  await vi.waitFor(() => expect(server.calls).toHaveLength(1));
  given.abort();
  await rejected;

  await expect(client.identify('a.jpg', { signal: given.signal })).rejects.toMatchObject({ code: 'cancelled' });
  expect(server.calls).toHaveLength(1);
});

test('is found again after it was restarted', async () => {
  const port = Number(server.address.split(':')[1]);
  expect(await client.isReady()).toBe(true);
  server.stop();
  expect(await client.isReady()).toBe(false);
  server = await startFakeFaceServer({ port });

  await vi.waitFor(async () => expect(await client.isReady()).toBe(true), 10_000);
});

describe('the ping', () => {
  test('waits for a service that comes back meanwhile', async () => {
    const port = Number(server.address.split(':')[1]);
    const patient = createFaceClient({ address: server.address, callTimeoutMs: 10_000 });
    server.stop();
    await expect(patient.describe()).rejects.toMatchObject({ code: 'unavailable' }); // there is a broken connection now
    const ping = patient.isReady();
    server = await startFakeFaceServer({ port });

    expect(await ping).toBe(true);
    patient.close();
  });

  test.each([true, false])('tells what the service says: %s', async (isReady) => {
    server.isReady = isReady;

    expect(await client.isReady()).toBe(isReady);
  });
});

describe('the description', () => {
  test('tells threshold and workers', async () => {
    expect(await client.describe()).toMatchObject({ model: 'fake', threshold: 0.5, workers: 2, queueLimit: 4 });
  });

  test('is unsupported by the original', async () => {
    const original = await startFakeFaceServer({ kind: 'original' });
    const toOriginal = createFaceClient({ address: original.address, callTimeoutMs: 500 });
    await expect(toOriginal.describe()).rejects.toMatchObject({ code: 'unsupported' });
    toOriginal.close();
    original.stop();
  });
});
