import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';
import { type HttpServer, startHttpServer } from './http-server.ts';

const PATIENCE = {
  headersMs: 5_000,
  requestMs: 5_000,
  silenceMs: 65_000,
  keepAliveMs: 65_000, // Prometheus comes again every minute at the latest
  checkMs: 2_000,
};
const MAX_CONNECTIONS = 100;

/**
 * The small server for whoever watches: `/metrics` (Prometheus text), `/healthz` (200 while the process answers at all) and
 * `/readyz` (200 or 503, as `isReady` says). Port 0 takes a free one.
 */
export function startOpsServer({
  port,
  registry,
  isReady,
}: {
  port: number;
  registry: Registry;
  isReady: () => boolean;
}): Promise<HttpServer> {
  function answer(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8') {
    response.writeHead(status, { 'content-type': type }).end(text);
  }

  async function listener(request: IncomingMessage, response: ServerResponse): Promise<void> {
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
  }

  return startHttpServer({
    port,
    listener: (request, response) => void listener(request, response),
    patience: PATIENCE,
    maxConnections: MAX_CONNECTIONS,
  });
}
