import { connect } from 'node:net';
import { join } from 'node:path';
import { silent } from '@kube-face/shared-lib/logger';
import { migrate } from '@kube-face/shared-lib/migrate';
import { createDatabase, type Database } from '@kube-face/shared-lib/mysql';
import { databaseStatements, mysqlPart } from '../scripts/parts/mysql.ts';
import { provideMysqlProgram } from '../scripts/parts/mysql-program.ts';
import { freePort } from '../scripts/parts/ports.ts';
import { startNsq } from '../test/harness/nsq.ts';
import { type Running, run } from '../test/harness/running.ts';
import { startService } from '../test/harness/service.ts';
import { removeFolder, tempFolder } from '../test/harness/temp-folder.ts';

const SEED_ROWS = 50_000; // of one statement

export type Receiver = { name: 'ours' | 'original'; port: number; running: Running };

export type Original = { command: string; port: number };

export type ReceiverSystem = {
  database: Database;
  pids: { mysql: number; nsqd: number };
  startOurs(): Promise<Receiver>;
  /** A command line of the user's, started with the original's variables; where it listens it knows by itself. */
  startOriginal(original: Original): Promise<Receiver>;
  /** So many processed photos and no others, as a system has them that has run for a while. */
  fill(rows: number): Promise<void>;
  /** Nothing waits any more. */
  settle(): Promise<void>;
  stop(): Promise<void>;
};

/** Whether somebody takes connections there. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** A MySQL with its own default durability, and memory unless told, and an nsqd, for one receiver after another. */
export async function startReceiverSystem({ bufferPool }: { bufferPool?: string | undefined } = {}): Promise<ReceiverSystem> {
  const found = await provideMysqlProgram();
  if (!found) throw new Error('this needs mysqld or mariadbd');
  const sized = bufferPool === undefined ? [] : [`--innodb-buffer-pool-size=${bufferPool}`];
  const program = { ...found, extraArgs: [...found.extraArgs, ...sized] };
  const account = { user: 'bench', password: 'bench' };
  const mysql = { ...account, host: '127.0.0.1', port: await freePort(), database: 'bench' };
  const folder = tempFolder('bench');
  const init = databaseStatements('bench', account);
  const server = await run(await mysqlPart({ program, folder: join(folder, 'mysql'), port: mysql.port, init }));
  const nsq = await startNsq();
  const database = createDatabase(mysql, { statementTimeoutMs: 600_000 });
  await migrate(database, silent);
  const env = {
    ...nsq.env,
    MYSQL_CONNECTION: mysql.host,
    MYSQL_PORT: String(mysql.port),
    MYSQL_DBNAME: mysql.database,
    MYSQL_USERPASSWORD: `${mysql.user}:${mysql.password}`,
    KNOWN_PEOPLE: join(folder, 'known'),
    UNKNOWN_PEOPLE: join(folder, 'unknown'),
  };

  return {
    database,
    pids: { mysql: server.pid(), nsqd: nsq.nsqd.pid() },
    async startOurs() {
      const running = await startService('receiver', { ...env, DRAIN_MS: '0', LOG_LEVEL: 'warn' });
      return { name: 'ours', port: Number(new URL(running.url).port), running };
    },
    async startOriginal({ command, port }) {
      const running = await run({
        name: 'original',
        command: '/bin/sh',
        args: ['-c', `exec ${command}`],
        cwd: process.cwd(),
        env: { ...process.env, ...env },
        isReady: () => listens(port),
        graceMs: 5_000,
      });
      return { name: 'original', port, running };
    },
    async fill(rows) {
      await database.query('truncate table images');
      for (let at = 0; at < rows; at += SEED_ROWS) {
        const some = Array.from({ length: Math.min(SEED_ROWS, rows - at) }, (_, index) => [
          `/unknown_people/seed/${at + index}.jpg`,
        ]);
        await database.query('insert into images (path) values ?', [some]);
        await database.query(
          `update images set status = 1, outcome = 'unknown', queued_at = now(3), finished_at = now(3) where status = 0`,
        );
      }
    },
    async settle() {
      await database.query(`update images set status = 1, outcome = 'unknown', queued_at = now(3) where status = 0`);
    },
    async stop() {
      await database.close();
      await nsq.stop();
      await server.stop();
      removeFolder(folder);
    },
  };
}
