import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type TcpProxy = {
  port: number;
  /** Every piece that the other side answers is held back so long. */
  delayMs: number;
  /** Breaks every connection, as when a machine dies. */
  cut(): void;
  /** Where connections go from now on. */
  targetPort: number;
  close(): Promise<void>;
};

/** Stands between a client and a port of this machine, to make the way slow or to break it. It listens on a free port unless told. */
export async function startTcpProxy(targetPort: number, at: { host?: string; port?: number } = {}): Promise<TcpProxy> {
  const sockets = new Set<Socket>();

  function keep(socket: Socket): void {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
  }

  const server = createServer((client) => {
    const target = connect(proxy.targetPort, '127.0.0.1');
    keep(client);
    keep(target);
    client.pipe(target);
    target.on('data', (piece) => {
      if (proxy.delayMs === 0) client.write(piece);
      else setTimeout(() => client.write(piece), proxy.delayMs); // timers of one delay fire in order
    });
    target.once('close', () => client.destroy());
    client.once('close', () => target.destroy());
  });
  server.listen(at.port ?? 0, at.host ?? '127.0.0.1');
  await once(server, 'listening');

  const proxy: TcpProxy = {
    port: (server.address() as AddressInfo).port,
    delayMs: 0,
    targetPort,
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      proxy.cut();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}
