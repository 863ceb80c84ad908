import type { RequestListener } from 'node:http';
import { type HttpServer, startHttpServer } from '@kube-face/shared-lib/http-server';

const PATIENCE = {
  headersMs: 10_000,
  requestMs: 300_000, // an upload over a slow line; one that stands still is given up by who reads its body
  silenceMs: 310_000, // enrolling many photos may take as long as it takes
  keepAliveMs: 65_000, // longer than the usual load balancer's minute, so that it is the one who hangs up
  checkMs: 2_000,
};
const MAX_CONNECTIONS = 20_000; // above MAX_CONCURRENT_REQUESTS, whose answer says more than a connection that is cut

/** Listens for requests; port 0 takes a free one. */
export function startApiServer({ port, listener }: { port: number; listener: RequestListener }): Promise<HttpServer> {
  return startHttpServer({ port, listener, patience: PATIENCE, maxConnections: MAX_CONNECTIONS });
}
