import type { RequestListener } from 'node:http';
import { type HttpServer, type Patience, startHttpServer } from '@kube-face/shared-lib/http-server';

export type PageServer = HttpServer;

// A page that follows the table hears something more often than the silence lasts.
const PATIENCE: Patience = { headersMs: 10_000, requestMs: 15_000, silenceMs: 60_000, keepAliveMs: 30_000, checkMs: 2_000 };
const MAX_CONNECTIONS = 2_000;

/** Listens for requests of pages; port 0 takes a free one. */
export function startPageServer({
  port,
  app,
  patience = PATIENCE,
}: {
  port: number;
  app: RequestListener;
  patience?: Patience;
}): Promise<PageServer> {
  return startHttpServer({ port, listener: app, patience, maxConnections: MAX_CONNECTIONS });
}
