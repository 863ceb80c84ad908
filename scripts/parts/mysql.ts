import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { step } from '../lib/progress.mjs';
import { mysqlAnswers } from './answers.ts';
import { userArgs } from './machine.ts';
import type { MysqlProgram } from './mysql-program.ts';
import type { Part } from './part.ts';

export type MysqlAccount = { user: string; password: string };
/** `folder` is MySQL's alone: data, socket, pid file and the statements it begins with lie in it. */
export type MysqlOptions = { program: MysqlProgram; folder: string; port: number; init: readonly string[]; quick?: boolean };

/**
 * A MySQL on 127.0.0.1 with its data in `folder`, made first where there is none. It runs `init` on every start, before it
 * serves anyone, so nobody needs a way in as root: root may only come by the socket in the folder.
 */
export async function mysqlPart({ program, folder, port, init, quick = false }: MysqlOptions): Promise<Part> {
  const data = join(folder, 'data');
  const initFile = join(folder, 'init.sql');
  const temporary = join(folder, 'tmp'); // in the common one, a MySQL that starts removes the files of those that run
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  await writeFile(initFile, init.map((statement) => `${statement};\n`).join(''), { mode: 0o600 });
  if (!existsSync(data)) {
    // Made under another name, so that one half made is never taken for a whole one.
    const fresh = join(folder, 'fresh');
    await rm(fresh, { recursive: true, force: true });
    await step('making an empty MySQL', () => program.initialise(fresh));
    await rename(fresh, data);
  }
  return {
    name: 'mysql',
    command: program.server,
    args: [
      '--no-defaults', // whatever MySQL the machine's own files speak of is another one
      ...userArgs(),
      `--datadir=${data}`,
      `--tmpdir=${temporary}`,
      '--socket=mysql.sock', // in the data folder: a whole path may be too long for a socket
      '--pid-file=mysql.pid',
      '--bind-address=127.0.0.1',
      `--port=${port}`,
      '--skip-name-resolve',
      '--character-set-server=utf8mb4',
      `--init-file=${initFile}`,
      '--max-connections=300',
      ...program.extraArgs,
      ...(quick ? ['--innodb-flush-log-at-trx-commit=2', '--innodb-buffer-pool-size=64M'] : []),
    ],
    cwd: folder,
    env: process.env,
    isReady: () => mysqlAnswers(port),
    graceMs: 30_000,
  };
}

/** Statements that make the database and an account that may touch nothing else; safe to repeat, and the last password holds. */
export function databaseStatements(database: string, { user, password }: MysqlAccount, host = '127.0.0.1'): string[] {
  const account = `'${user}'@'${host}'`;
  return [
    `create database if not exists \`${database}\` character set utf8mb4 collate utf8mb4_bin`,
    `create user if not exists ${account} identified by '${password}'`,
    `alter user ${account} identified by '${password}'`,
    `grant all privileges on \`${database}\`.* to ${account}`,
  ];
}
