import type { RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type HttpServer, startHttpServer } from '../src/http-server.ts';

const SHORT = { headersMs: 150, requestMs: 300, silenceMs: 600, keepAliveMs: 5_000, checkMs: 20 };
const DRIP_MS = 10;

const answering: RequestListener = (request, response) => {
  request
    .resume()
    .once('end', () => response.end('answer'))
    .on('error', () => {});
};

async function listen(listener: RequestListener, maxConnections = 10): Promise<HttpServer> {
  const server = await startHttpServer({ port: 0, listener, patience: SHORT, maxConnections });
  onTestFinished(() => server.close());
  return server;
}

type Client = { socket: Socket; heard: () => string; closed: Promise<void> };

/** A client that sends the text as it stands. */
function open({ port }: HttpServer, text: string): Client {
  const socket = connect(port, '127.0.0.1');
  socket.write(text); // before whatever is written later, connected or not
  onTestFinished(() => void socket.destroy());
  let heard = '';
  socket.on('data', (data) => {
    heard += data.toString('latin1');
  });
  socket.on('error', () => {}); // it is closed anyway
  return { socket, heard: () => heard, closed: new Promise((resolve) => socket.once('close', () => resolve())) };
}

/** Goes on with one more piece again and again, which is how a connection is held with next to nothing. */
function drip({ socket }: Client, piece: string): void {
  const timer = setInterval(() => socket.writable && socket.write(piece), DRIP_MS);
  socket.once('close', () => clearInterval(timer));
}

const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n';

test('a client that never ends its headers is let go, however busily it sends them', async () => {
  const client = open(await listen(answering), 'GET / HTTP/1.1\r\nHost: a\r\n');
  drip(client, 'X-A: b\r\n');
  await client.closed;
  expect(client.heard()).toMatch(/^HTTP\/1.1 408/);
});

test('so is one whose body comes byte by byte', async () => {
  const client = open(await listen(answering), POST);
  drip(client, 'x');
  await client.closed;
  expect(client.heard()).toMatch(/^HTTP\/1.1 408/);
});

test('one that never reads its answer, and one that never asks', async () => {
  const given = Promise.withResolvers<void>();
  const server = await listen((_request, response) => {
    response.once('close', () => given.resolve());
    response.end(Buffer.alloc(32 * 1024 * 1024));
  });
  open(server, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n').socket.pause();
  const idle = open(server, '');
  await Promise.all([given.promise, idle.closed]);
});

test('one connection more than allowed is hung up on, and those before it are served', async () => {
  const server = await listen(answering, 1);
  const first = open(server, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await expect.poll(first.heard).toContain('answer');
  const second = open(server, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await second.closed;
  expect(second.heard()).toBe('');
});

test.each([
  ['headers without end', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ['a length and chunks', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde', 400],
  ['a line break in a header', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\nY\r\n\r\n', 400],
  ['no host', 'GET / HTTP/1.1\r\n\r\n', 400],
])('a request that two servers might read differently is refused: %s', async (_name, text, status) => {
  const client = open(await listen(answering), text);
  await client.closed;
  expect(client.heard()).toMatch(new RegExp(`^HTTP/1.1 ${status}`));
});

test('closing waits for answers under way, and for nothing else', async () => {
  const asked = Promise.withResolvers<() => void>();
  const server = await listen((_request, response) => asked.resolve(() => response.end('answer')));
  const idle = open(server, '');
  const client = open(server, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const answer = await asked.promise;
  let isClosed = false;
  const closing = server.close().then(() => {
    isClosed = true;
  });
  await idle.closed;
  expect(isClosed).toBe(false);
  answer();
  await closing;
  await client.closed;
  expect(client.heard()).toMatch(/connection: close[\s\S]*answer/i);
});
