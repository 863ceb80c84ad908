import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

export type OpsServer = { readonly port: number; close(): Promise<void> };

/**
 * The small server for whoever watches: `/metrics` (Prometheus text), `/healthz` (200 while the process answers at all) and
 * `/readyz` (200 or 503, as `isReady` says). Port 0 takes a free one.
 */
export async function startOpsServer({
  port,
  registry,
  isReady,
}: {
  port: number;
  registry: Registry;
  isReady: () => boolean;
}): Promise<OpsServer> {
  function answer(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8') {
    response.writeHead(status, { 'content-type': type }).end(text);
  }

  const server = createServer(async (request, response) => {
    const path = request.url?.split('?', 1)[0];
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(response, 405, 'only GET\n');
    if (path === '/healthz') return answer(response, 200, 'alive\n');
    if (path === '/readyz') return isReady() ? answer(response, 200, 'ready\n') : answer(response, 503, 'not ready\n');
    if (path !== '/metrics') return answer(response, 404, 'there are /metrics, /healthz and /readyz\n');
    try {
      answer(response, 200, await registry.metrics(), registry.contentType);
    } catch {
      answer(response, 500, 'a metric could not be collected\n');
    }
  });
  server.requestTimeout = 10_000;

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });

  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
