import type { MysqlConfig } from '@kube-face/shared-lib/env';
import type { TestProject } from 'vitest/node';
import { startMysql } from './mysql.ts';
import { testNsqPrograms } from './nsq.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The administrator of the run's MySQL. */
    mysql: MysqlConfig;
  }
}

/** One MySQL for the whole run, a database of its own for each file; nsqd is started by whoever needs it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await testNsqPrograms();
  const mysql = await startMysql();
  project.provide('mysql', mysql.admin);
  return async () => void (await mysql.stop());
}
