import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

export type PageServer = { readonly port: number; close(): Promise<void> };

/** Listens. A client that sends or reads too slowly is let go: nobody holds a connection for free. Port 0 takes a free one. */
export async function startPageServer({ port, app }: { port: number; app: RequestListener }): Promise<PageServer> {
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 15_000, keepAliveTimeout: 30_000 }, app);
  server.setTimeout(60_000); // of silence on a connection; a page that follows the table hears something more often
  server.maxConnections = 2_000;

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });

  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve()); // answers under way are finished first
        server.closeIdleConnections();
      }),
  };
}
