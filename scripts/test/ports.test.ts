import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { choosePorts, freePort, isFree } from '../parts/ports.ts';

const taken =
  (...ports: number[]) =>
  (port: number) =>
    Promise.resolve(!ports.includes(port));

test.each(['127.0.0.1', '0.0.0.0', '::'])('a port that somebody listens on at %s is not free', async (host) => {
  const port = await freePort();
  expect(await isFree(port)).toBe(true);
  const server = createServer().listen(port, host);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  expect(await isFree(port)).toBe(false);
});

test('the usual port is taken where it is free', async () => {
  expect(await choosePorts({ a: 8000 }, taken())).toEqual({ a: { wanted: 8000, port: 8000 } });
});

test('the next free one is taken where it is not', async () => {
  expect((await choosePorts({ a: 8000 }, taken(8000, 8001))).a.port).toBe(8002);
});

test('a name that moves leaves the port of its neighbour alone', async () => {
  const { a, b } = await choosePorts({ a: 4160, b: 4161 }, taken(4160));
  expect([a.port, b.port]).toEqual([4162, 4161]);
});

test('two names that want the same port get different ones', async () => {
  const { a, b } = await choosePorts({ a: 9000, b: 9000 }, taken());
  expect([a.port, b.port]).toEqual([9000, 9001]);
});

test('a hundred taken ports are given up on, in words', async () => {
  await expect(choosePorts({ a: 8000 }, () => Promise.resolve(false))).rejects.toThrow('no free port from 8000 on');
});
