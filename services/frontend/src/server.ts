import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

export type PageServer = { readonly port: number; close(): Promise<void> };

/** How long a client may take to send its head and its request, and be silent while it is answered. */
const PATIENCE = { headersMs: 10_000, requestMs: 15_000, silenceMs: 60_000, checkMs: 2_000 };
const KEEP_ALIVE_MS = 30_000;
const MAX_CONNECTIONS = 2_000;
const SWEEP_MS = 50;

/** Listens. A client that sends or reads too slowly is let go: nobody holds a connection for free. Port 0 takes a free one. */
export async function startPageServer({
  port,
  app,
  patience = PATIENCE,
}: {
  port: number;
  app: RequestListener;
  patience?: typeof PATIENCE;
}): Promise<PageServer> {
  const server = createServer(
    {
      headersTimeout: patience.headersMs,
      requestTimeout: patience.requestMs,
      connectionsCheckingInterval: patience.checkMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    app,
  );
  server.setTimeout(patience.silenceMs); // a page that follows the table hears something more often
  server.maxConnections = MAX_CONNECTIONS;

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });

  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        // Answers under way are finished; a connection that has nothing under way any more is not waited for.
        const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
        server.close(() => {
          clearInterval(sweep);
          resolve();
        });
      }),
  };
}
