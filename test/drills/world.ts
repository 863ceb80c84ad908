import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createDatabase, type Database } from '@kube-face/shared-lib/mysql';
import { expect } from 'vitest';
import { cropped } from '../../scripts/demo/sample-files.ts';
import { PEOPLE } from '../../scripts/demo/samples.ts';
import { nsqdPart, nsqlookupdPart } from '../../scripts/parts/nsq.ts';
import { freePort } from '../../scripts/parts/ports.ts';
import { freshDatabase, mysqlEnv } from '../harness/database.ts';
import { startMysql } from '../harness/mysql.ts';
import { testNsqPrograms } from '../harness/nsq.ts';
import { type Running, run } from '../harness/running.ts';
import { type Env, type Service, startService } from '../harness/service.ts';
import { startTcpProxy, type TcpProxy } from '../harness/tcp-proxy.ts';
import { removeFolder, tempFolder } from '../harness/temp-folder.ts';
import { createPhotoMaker, type PhotoMaker } from './photos.ts';

/** The times of production, shortened. */
export const TIMES = {
  LEASE_MS: '3000',
  CALL_TIMEOUT_MS: '4000',
  RETRY_BASE_MS: '300',
  RETRY_MAX_MS: '2000',
  MAX_ATTEMPTS: '5',
  BREAK_MS: '500',
  BREAK_MAX_MS: '2000',
  REDEEM_AFTER_MS: '3000',
} as const;

export type World = {
  /** For the test itself: the way of the services is another one. */
  database: Database;
  mysql: Running;
  /** Between every service and MySQL. */
  wayToMysql: TcpProxy;
  nsqd: Running;
  /** nsqd's messages on disk. */
  nsqdFolder: string;
  nsqlookupd: Running;
  recognition: Service;
  receiver: Service;
  processor: Service;
  photos: PhotoMaker;
  unknownPeople: string;
  /** What a redeemer, or another processor, is told. */
  env: Env;
  startProcessor(): Promise<Service>;
  stop(): Promise<void>;
};

/** The whole system but for the frontend: real parts, one process each, on free ports. */
export async function startWorld(): Promise<World> {
  const mysql = await startMysql();
  const account = await freshDatabase(mysql.admin);
  const database = createDatabase(account);
  const wayToMysql = await startTcpProxy(account.port);

  const [nsqdTcp, nsqdHttp, lookupTcp, lookupHttp] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const ports = { nsqdTcp, nsqdHttp, lookupTcp, lookupHttp };
  const programs = await testNsqPrograms();
  const folder = tempFolder('drills');
  const nsqdFolder = join(folder, 'nsqd');
  const nsqlookupd = await run(nsqlookupdPart(programs, ports, folder));
  const nsqd = await run(await nsqdPart(programs, ports, nsqdFolder));

  const folders = { known: join(folder, 'known'), unknown: join(folder, 'unknown'), base: join(folder, 'base') };
  for (const one of Object.values(folders)) mkdirSync(one);
  const photoFolders = { KNOWN_PEOPLE: folders.known, UNKNOWN_PEOPLE: folders.unknown };
  const recognition = await startService('face-recognition', { ...photoFolders, WORKERS: '1', QUEUE_LIMIT: '4' });
  const env: Env = {
    ...mysqlEnv({ ...account, port: wayToMysql.port }),
    ...photoFolders,
    ...TIMES,
    PRODUCER_ADDRESS: `127.0.0.1:${nsqdTcp}`,
    NSQ_LOOKUP_ADDRESS: `127.0.0.1:${lookupHttp}`,
    NSQD_HTTP_ADDRESS: `127.0.0.1:${nsqdHttp}`,
    GRPC_ADDRESS: recognition.env.GRPC_ADDRESS ?? '',
  };
  const startProcessor = () => startService('image-processor', env);
  const receiver = await startService('receiver', env);
  const processor = await startProcessor();
  for (const { name } of PEOPLE) await enrol(receiver, name);

  return {
    database,
    mysql,
    wayToMysql,
    nsqd,
    nsqdFolder,
    nsqlookupd,
    recognition,
    receiver,
    processor,
    photos: await createPhotoMaker(folders.unknown, folders.base),
    unknownPeople: folders.unknown,
    env,
    startProcessor,
    async stop() {
      for (const one of [receiver, processor, recognition, nsqd, nsqlookupd]) await one.stop();
      await wayToMysql.close();
      await database.close();
      await mysql.stop();
      removeFolder(folder);
    },
  };
}

async function enrol(receiver: Service, name: string): Promise<void> {
  const form = new FormData();
  form.set('name', name);
  for (const crop of PEOPLE.find((person) => person.name === name)?.crops ?? []) {
    form.append('image', new Blob([new Uint8Array(await cropped(crop))]), `${name.toLowerCase()}.jpg`);
  }
  const response = await fetch(`${receiver.url}/people`, { method: 'POST', body: form });
  expect(response.status, await response.text()).toBe(201);
}

/** nsqd's messages are gone, as when its node is. */
export function loseMessages(world: World): void {
  rmSync(world.nsqdFolder, { recursive: true, force: true });
  mkdirSync(world.nsqdFolder);
}
