import { mkdirSync, rmSync } from 'node:fs';
import { createDatabase, type Database } from '@kube-face/shared-lib/mysql';
import { createReceiverClient } from '../../scripts/demo/receiver-client.ts';
import { photosOf } from '../../scripts/demo/sample-files.ts';
import { PEOPLE } from '../../scripts/demo/samples.ts';
import { freshDatabase, mysqlEnv } from '../harness/database.ts';
import { startMysql } from '../harness/mysql.ts';
import { startNsq } from '../harness/nsq.ts';
import { makePhotoFolders } from '../harness/photo-folders.ts';
import type { Running } from '../harness/running.ts';
import { type Env, type Service, startService } from '../harness/service.ts';
import { removeFolder, tempFolder } from '../harness/temp-folder.ts';
import { createPhotoMaker, type PhotoMaker } from './photos.ts';
import { startWayToMysql, type WayToMysql } from './way-to-mysql.ts';

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
  wayToMysql: WayToMysql;
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
  const folder = tempFolder('drills');
  const wayToMysql = await startWayToMysql(account.port, folder);
  const nsq = await startNsq();

  const photoFolders = makePhotoFolders(folder);
  const recognition = await startService('face-recognition', {
    ...photoFolders,
    WORKERS: '1',
    QUEUE_LIMIT: '4',
    NODE_OPTIONS: `--import=${new URL('hungry-photo.ts', import.meta.url)}`,
  });
  const env: Env = {
    ...mysqlEnv(account),
    ...wayToMysql.env,
    ...nsq.env,
    ...photoFolders,
    ...TIMES,
    GRPC_ADDRESS: recognition.env.GRPC_ADDRESS ?? '',
  };
  const startProcessor = () => startService('image-processor', env);
  const receiver = await startService('receiver', env);
  const processor = await startProcessor();
  const client = createReceiverClient({ url: receiver.url });
  for (const { name } of PEOPLE) await client.enrol(name, await photosOf(name));

  return {
    database,
    mysql,
    wayToMysql,
    nsqd: nsq.nsqd,
    nsqdFolder: nsq.nsqdFolder,
    nsqlookupd: nsq.nsqlookupd,
    recognition,
    receiver,
    processor,
    photos: await createPhotoMaker(photoFolders.UNKNOWN_PEOPLE, folder),
    unknownPeople: photoFolders.UNKNOWN_PEOPLE,
    env,
    startProcessor,
    async stop() {
      for (const one of [receiver, processor, recognition, nsq]) await one.stop();
      await wayToMysql.close();
      await database.close();
      await mysql.stop();
      removeFolder(folder);
    },
  };
}

/** nsqd's messages are gone, as when its node is. */
export function loseMessages(world: World): void {
  rmSync(world.nsqdFolder, { recursive: true, force: true });
  mkdirSync(world.nsqdFolder);
}
