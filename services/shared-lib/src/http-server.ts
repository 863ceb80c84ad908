import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export type HttpServer = {
  readonly port: number;
  /** Takes no more connections, lets answers under way end, and hangs up on whoever has none. */
  close(): Promise<void>;
};

/** How long a client may take. */
export type Patience = {
  /** For the head of a request. */
  headersMs: number;
  /** For a whole request. */
  requestMs: number;
  /** Without a byte in either direction: it sends nothing, or reads nothing of its answer. */
  silenceMs: number;
  /** Between two requests of a connection. */
  keepAliveMs: number;
  /** How often the first two are looked at. */
  checkMs: number;
};

export type HttpServerOptions = {
  /** 0 takes a free one. */
  port: number;
  listener: RequestListener;
  patience: Patience;
  /** One more is hung up on at once. */
  maxConnections: number;
};

const MAX_HEADERS = 100;
const SWEEP_MS = 50;

/** Listens. Nobody holds a connection for free: who sends or reads too slowly is let go. */
export async function startHttpServer({ port, listener, patience, maxConnections }: HttpServerOptions): Promise<HttpServer> {
  let isClosing = false;
  const underWay = new Set<ServerResponse>();
  const sockets = new Set<Socket>();
  const hangUpAfter = (response: ServerResponse) => {
    if (!response.headersSent) response.setHeader('connection', 'close');
  };
  const server = createServer(
    {
      headersTimeout: patience.headersMs,
      requestTimeout: patience.requestMs,
      keepAliveTimeout: patience.keepAliveMs,
      connectionsCheckingInterval: patience.checkMs,
      noDelay: true,
    },
    (request, response) => {
      underWay.add(response);
      response.on('close', () => underWay.delete(response));
      if (isClosing) hangUpAfter(response);
      listener(request, response);
    },
  );
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.setTimeout(patience.silenceMs);
  server.maxHeadersCount = MAX_HEADERS;
  server.maxConnections = maxConnections;

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
        // Browsers open connections in advance; one that has said nothing yet is not idle in Node's eyes.
        for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
        // A connection whose last answer had begun before it could be told to close is idle only later.
        const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
        server.close(() => {
          clearInterval(sweep);
          resolve();
        });
      }),
  };
}
