import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { MysqlConfig } from '@kube-face/shared-lib/env';
import { MissingProgramError } from '../../scripts/parts/missing.ts';
import { databaseStatements, mysqlPart } from '../../scripts/parts/mysql.ts';
import { provideMysqlProgram } from '../../scripts/parts/mysql-program.ts';
import { freePort } from '../../scripts/parts/ports.ts';
import { dockerMysqlPart } from './docker-mysql.ts';
import { type Running, run } from './running.ts';
import { tempFolder } from './temp-folder.ts';

/** `admin` may do everything, from 127.0.0.1. Its data is gone with the process that started it. */
export type Mysql = Running & { admin: MysqlConfig };

/**
 * A MySQL of one's own: this machine's, or the image mysql:9.7 where KUBE_FACE_TEST_MYSQL is `docker`, so that statements can be
 * tried on both.
 */
export async function startMysql(): Promise<Mysql> {
  const port = await freePort();
  const account = { user: 'admin', password: randomBytes(12).toString('hex') };
  const admin = { ...account, host: '127.0.0.1', port, database: 'information_schema' };
  const folder = tempFolder('mysql');
  const inDocker = process.env.KUBE_FACE_TEST_MYSQL === 'docker';
  const init = adminStatements(account, inDocker ? '%' : '127.0.0.1');
  const running = await run(inDocker ? await dockerMysqlPart({ port, folder, init }) : await machinePart(port, folder, init));
  return { ...running, admin };
}

async function machinePart(port: number, folder: string, init: readonly string[]) {
  const program = await provideMysqlProgram();
  if (!program) throw new MissingProgramError('the tests need mysqld or mariadbd, which could not be installed');
  return mysqlPart({ program, folder: join(folder, 'server'), port, init, quick: true });
}

function adminStatements({ user, password }: { user: string; password: string }, host: string): string[] {
  return [
    ...databaseStatements('unused', { user, password }, host),
    `grant all privileges on *.* to '${user}'@'${host}' with grant option`,
  ];
}
