import { randomBytes } from 'node:crypto';
import type { MysqlConfig } from '@kube-face/shared-lib/env';
import { silent } from '@kube-face/shared-lib/logger';
import { migrate } from '@kube-face/shared-lib/migrate';
import { createDatabase, type Database } from '@kube-face/shared-lib/mysql';
import { inject } from 'vitest';
import { databaseStatements } from '../../scripts/parts/mysql.ts';

/** A new, empty database on the run's MySQL, with an account that may touch nothing else. */
export async function freshDatabase(admin: MysqlConfig = inject('mysql')): Promise<MysqlConfig> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const account = { user: name, password: randomBytes(12).toString('hex') };
  const server = createDatabase(admin);
  try {
    for (const statement of databaseStatements(name, account, '%')) await server.query(statement);
  } finally {
    await server.close();
  }
  return { ...account, host: admin.host, port: admin.port, database: name };
}

/** The services' tables, empty, by default in a new database. */
export async function freshTables(mysql?: MysqlConfig): Promise<Database> {
  const database = createDatabase(mysql ?? (await freshDatabase()));
  await migrate(database, silent);
  return database;
}

/** The same as a service's environment says it. */
export function mysqlEnv({ host, port, database, user, password }: MysqlConfig): Record<string, string> {
  return {
    MYSQL_CONNECTION: host,
    MYSQL_PORT: String(port),
    MYSQL_DBNAME: database,
    MYSQL_USERPASSWORD: `${user}:${password}`,
  };
}
