import { connect, type Socket } from 'node:net';

export type LoadOptions = {
  host: string;
  port: number;
  connections: number;
  /** How long, or how many requests. */
  seconds?: number;
  requests?: number;
  path: string;
  headers?: Readonly<Record<string, string>>;
  /** The body of the n-th request. */
  body: (n: number) => string;
};

export type LoadResult = {
  requests: number;
  seconds: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  statuses: Record<string, number>;
};

const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * Posts over keep-alive connections, each with one request under way, as fast as the answers come. Written on sockets, because
 * it shares the machine with what it measures: a client library would take more of it than the server does.
 */
export async function postLoad(options: LoadOptions): Promise<LoadResult> {
  const { host, port, connections, seconds = Number.POSITIVE_INFINITY, requests = Number.POSITIVE_INFINITY, path } = options;
  if (host !== '127.0.0.1') throw new Error('load goes to 127.0.0.1 only');
  const head = Object.entries({ host: `${host}:${port}`, ...options.headers })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
  const latencies: number[] = [];
  const statuses: Record<string, number> = {};
  const startedAt = performance.now();
  const endAt = startedAt + seconds * 1_000;
  let begun = 0;

  function run(socket: Socket): Promise<void> {
    return new Promise((resolve, reject) => {
      let sentAt = 0;
      let received: Buffer = Buffer.alloc(0);

      function next(): void {
        if (begun >= requests || performance.now() >= endAt) {
          socket.end();
          resolve();
          return;
        }
        const body = options.body(begun++);
        sentAt = performance.now();
        socket.write(`POST ${path} HTTP/1.1\r\n${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
      }
      socket.on('data', (chunk) => {
        received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
        const end = received.indexOf(HEAD_END);
        if (end < 0) return;
        const text = received.toString('latin1', 0, end);
        const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
        if (received.length < end + 4 + length) return;
        latencies.push(performance.now() - sentAt);
        const status = text.slice(9, 12);
        statuses[status] = (statuses[status] ?? 0) + 1;
        received = Buffer.alloc(0);
        next();
      });
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('the server hung up')));
      next();
    });
  }

  const sockets = await Promise.all(
    Array.from(
      { length: connections },
      () =>
        new Promise<Socket>((resolve, reject) => {
          const socket = connect({ host, port, noDelay: true }, () => resolve(socket));
          socket.once('error', reject);
        }),
    ),
  );
  await Promise.all(sockets.map(run));
  const elapsed = (performance.now() - startedAt) / 1_000;
  latencies.sort((a, b) => a - b);
  const at = (part: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * part))] ?? Number.NaN;
  return {
    requests: latencies.length,
    seconds: elapsed,
    perSecond: latencies.length / elapsed,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
    statuses,
  };
}
