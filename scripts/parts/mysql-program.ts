import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { step } from '../lib/progress.mjs';
import { runQuietly } from '../lib/run.mjs';
import { aptInstall, findProgram, userArgs } from './machine.ts';

/** A MySQL server program of this machine. MariaDB's is one, too; only its data folder is made otherwise. */
export type MysqlProgram = { server: string; initialise: (dataFolder: string) => Promise<void>; extraArgs: readonly string[] };

// Bare programs: the packages with the same names less `-core` bring a service that starts at once. MariaDB's installer asks a
// program of the client's package for its defaults.
const PACKAGES = [
  ['mariadb-server-core', 'mariadb-client-core'],
  ['mariadb-server-core-10.5', 'mariadb-client-core-10.5'],
  ['mysql-server-core-8.0'],
];

/** The machine's own MySQL, installed where it has none and that can be done; undefined where there is none to be had. */
export async function provideMysqlProgram(): Promise<MysqlProgram | undefined> {
  const own = await findMysqlProgram();
  if (own) return own;
  const installed = await step('installing MariaDB', () => aptInstall(...PACKAGES));
  return installed ? findMysqlProgram() : undefined;
}

async function findMysqlProgram(): Promise<MysqlProgram | undefined> {
  const server = findProgram(['mysqld', 'mariadbd']);
  if (server === undefined) return undefined;
  const version = await runQuietly(server, ['--no-defaults', '--version']).catch(() => '');
  if (/mariadb/i.test(version)) return mariadb(server);
  if (/mysql|ver \d/i.test(version)) return mysql(server);
  return undefined;
}

function mysql(server: string): MysqlProgram {
  const noFiles = '--secure-file-priv=NULL'; // its default is a folder that packages make, for an account that is not ours
  return {
    server,
    extraArgs: ['--mysqlx=OFF', '--skip-log-bin', noFiles],
    initialise: async (folder) => {
      await runQuietly(server, ['--no-defaults', ...userArgs(), noFiles, '--initialize-insecure', `--datadir=${folder}`]);
    },
  };
}

function mariadb(server: string): MysqlProgram | undefined {
  const real = realpathSync(server); // mysqld is only another name of it
  const beside = { PATH: [join(real, '..'), join(real, '../../bin'), join(real, '../../scripts'), process.env.PATH].join(':') };
  const installer = findProgram(['mariadb-install-db', 'mysql_install_db'], beside);
  if (installer === undefined || findProgram(['my_print_defaults'], beside) === undefined) return undefined;
  return {
    server,
    extraArgs: [],
    initialise: async (folder) => {
      const args = ['--no-defaults', ...userArgs(), `--datadir=${folder}`, '--skip-test-db', '--skip-name-resolve'];
      await runQuietly(installer, [...args, '--auth-root-authentication-method=socket']);
    },
  };
}
