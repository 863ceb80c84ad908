import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startTcpProxy, type TcpProxy } from '../harness/tcp-proxy.ts';

const NAME = 'mysql.test';

export type WayToMysql = {
  /** By these a service finds MySQL, and asks anew where it is for every connection. */
  env: { MYSQL_CONNECTION: string; MYSQL_PORT: string; NODE_OPTIONS: string; NAMES_FILE: string };
  /** Every connection of a service goes through it. */
  readonly proxy: TcpProxy;
  /** From now on the name means another address of this machine, and nobody answers at the one before. */
  failOver(): Promise<void>;
  close(): Promise<void>;
};

/** Stands between the services and MySQL, under a name of its own. */
export async function startWayToMysql(port: number, folder: string): Promise<WayToMysql> {
  const file = join(folder, 'names.json');
  let host = '127.0.0.1';
  let proxy = await startTcpProxy(port, { host });
  write();

  /** Whole or not at all: it may be read at any time. */
  function write(): void {
    writeFileSync(`${file}.new`, JSON.stringify({ [NAME]: host }));
    renameSync(`${file}.new`, file);
  }

  return {
    env: {
      MYSQL_CONNECTION: NAME,
      MYSQL_PORT: String(proxy.port),
      NODE_OPTIONS: `--import=${new URL('names.ts', import.meta.url)}`,
      NAMES_FILE: file,
    },
    get proxy() {
      return proxy;
    },
    async failOver() {
      const before = proxy;
      host = host === '127.0.0.1' ? '127.0.0.2' : '127.0.0.1';
      proxy = await startTcpProxy(port, { host, port: before.port });
      write();
      await before.close();
    },
    close: () => proxy.close(),
  };
}
