import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type HttpServer = {
  readonly port: number;
  /** Takes no more connections, lets running requests end, closes the idle ones. */
  close(): Promise<void>;
};

// Between two requests of a connection: longer than the usual load balancer's minute, so that it is the one who hangs up.
const KEEP_ALIVE_MS = 65_000;
const HEADERS_MS = 10_000;
const REQUEST_MS = 300_000; // an upload over a slow line; one that stands still is given up by who reads its body

/** Listens for requests; port 0 takes a free one. */
export async function startHttpServer({ port, listener }: { port: number; listener: RequestListener }): Promise<HttpServer> {
  let isClosing = false;
  const underWay = new Set<ServerResponse>();
  const hangUpAfter = (response: ServerResponse) => {
    if (!response.headersSent) response.setHeader('connection', 'close');
  };
  const server = createServer(
    { keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS, noDelay: true },
    (request, response) => {
      underWay.add(response);
      response.on('close', () => underWay.delete(response));
      if (isClosing) hangUpAfter(response);
      listener(request, response);
    },
  );
  server.maxHeadersCount = 100;

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });

  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        isClosing = true;
        underWay.forEach(hangUpAfter);
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}
