import type { RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type PageServer, startPageServer } from '../src/server.ts';

const SHORT = { headersMs: 150, requestMs: 200, silenceMs: 300, keepAliveMs: 5_000, checkMs: 20 };

let server: PageServer | undefined;
let socket: Socket | undefined;

afterEach(async () => {
  socket?.destroy();
  await server?.close();
});

async function open(app: RequestListener, text: string): Promise<{ heard: () => string; closed: Promise<void> }> {
  server = await startPageServer({ port: 0, app, patience: SHORT });
  const made = connect(server.port, '127.0.0.1', () => made.write(text));
  socket = made;
  let heard = '';
  made.on('data', (data) => {
    heard += data.toString();
  });
  made.on('error', () => {}); // it is closed anyway
  return { heard: () => heard, closed: new Promise((resolve) => made.once('close', () => resolve())) };
}

test('a client that never finishes its request is let go', async () => {
  const { heard, closed } = await open((_request, response) => response.end('answer'), 'GET / HTTP/1.1\r\nHost: a\r\n');
  await closed;
  expect(heard()).toMatch(/^HTTP\/1.1 408/);
});

test('a client that never reads its answer is let go', async () => {
  const ended = Promise.withResolvers<void>();
  const large = Buffer.alloc(32 * 1024 * 1024);
  await open((_request, response) => {
    response.once('close', () => ended.resolve());
    response.end(large);
  }, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  socket?.pause();
  await ended.promise;
});

test('closing waits for answers under way, and not for connections that are kept open', async () => {
  const asked = Promise.withResolvers<() => void>();
  const { heard, closed } = await open(
    (_request, response) => asked.resolve(() => response.end('answer')),
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  );
  const answer = await asked.promise;
  const closing = server?.close();
  answer();
  await closing;
  await closed;
  expect(heard()).toContain('answer');
});
