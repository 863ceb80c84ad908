import { afterEach, expect, test } from 'vitest';
import type { HttpServer } from '../src/http-server.ts';
import { createRegistry, Gauge } from '../src/metrics.ts';
import { startOpsServer } from '../src/ops-server.ts';

let server: HttpServer;
let ready = true;
afterEach(() => server.close());

async function start(registry = createRegistry('test')) {
  server = await startOpsServer({ port: 0, registry, isReady: () => ready });
  return (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${server.port}${path}`, init);
}

test('alive as long as it answers, ready only when told so', async () => {
  const get = await start();
  ready = true;
  expect((await get('/readyz')).status).toBe(200);
  ready = false;
  expect((await get('/readyz')).status).toBe(503);
  expect((await get('/healthz')).status).toBe(200);
});

test("metrics are Prometheus text with the service's name on each", async () => {
  const registry = createRegistry('test');
  new Gauge({ name: 'kube_face_gallery_size', help: 'known photos', registers: [registry] }).set(3);
  const answer = await (await start(registry))('/metrics');
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
  expect(await answer.text()).toContain('kube_face_gallery_size{service="test"} 3');
});

test('a metric that cannot be collected is a 500, not a crash', async () => {
  const registry = createRegistry('test');
  new Gauge({
    name: 'kube_face_broken',
    help: 'throws',
    registers: [registry],
    collect() {
      throw new Error('no');
    },
  });
  const get = await start(registry);
  expect((await get('/metrics')).status).toBe(500);
  expect((await get('/healthz')).status).toBe(200);
});

test('other paths and methods are refused', async () => {
  const get = await start();
  expect((await get('/')).status).toBe(404);
  expect((await get('/healthz', { method: 'POST' })).status).toBe(405);
});
