import { mkdirSync } from 'node:fs';
import { link, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silent } from '@kube-face/shared-lib/logger';
import { migrate } from '@kube-face/shared-lib/migrate';
import { createDatabase, type Database, type RowDataPacket } from '@kube-face/shared-lib/mysql';
import { createImagePublisher } from '@kube-face/shared-lib/nsq-publisher';
import sharp from 'sharp';
import { cropped } from '../scripts/demo/sample-files.ts';
import { PEOPLE } from '../scripts/demo/samples.ts';
import { freshDatabase, mysqlEnv } from '../test/harness/database.ts';
import { startMysql } from '../test/harness/mysql.ts';
import { startNsq } from '../test/harness/nsq.ts';
import { type Env, type Service, type ServiceName, startService } from '../test/harness/service.ts';
import { removeFolder, tempFolder } from '../test/harness/temp-folder.ts';

const PUBLISHED_AT_ONCE = 10_000;

/** A photo of 250x250 pixels with one face, as in the tables of design and README. */
export async function makePhoto(): Promise<Buffer> {
  const [crop] = PEOPLE[0]?.crops ?? [];
  if (!crop) throw new Error('nobody to show');
  return sharp(await cropped(crop))
    .resize(250, 250)
    .jpeg()
    .toBuffer();
}

export type PipelineSystem = {
  database: Database;
  env: Env;
  /** Processes that are there all the time, by name. */
  pids: { mysql: number; nsqd: number; bench: number };
  start(name: ServiceName, env?: Env): Promise<Service>;
  /** Ends what was started. */
  stopServices(): Promise<void>;
  /** So many new photos in rows and in the queue. */
  queue(photos: number): Promise<void>;
  /** A new photo's path. */
  newPhoto(): Promise<string>;
  stop(): Promise<void>;
};

/** MySQL (as durable as its defaults make it) and nsqd with nsqlookupd, a folder of photos, and services on demand. */
export async function startPipelineSystem(photo: Buffer): Promise<PipelineSystem> {
  const mysql = await startMysql();
  const admin = createDatabase(mysql.admin);
  await admin.query('set global innodb_flush_log_at_trx_commit = 1');
  await admin.close();
  const account = await freshDatabase(mysql.admin);
  const database = createDatabase(account);
  await migrate(database, silent);
  const nsq = await startNsq();
  const folder = tempFolder('bench');
  const folders = { KNOWN_PEOPLE: join(folder, 'known'), UNKNOWN_PEOPLE: join(folder, 'unknown') };
  for (const one of Object.values(folders)) mkdirSync(one);
  await writeFile(join(folders.KNOWN_PEOPLE, 'alice.jpg'), photo);
  await writeFile(join(folder, 'photo.jpg'), photo);
  await database.query("insert into person (id, name) values (1, 'Alice')");
  await database.query("insert into person_images (image_name, person_id) values ('alice.jpg', 1)");
  const env: Env = { ...mysqlEnv(account), ...nsq.env, ...folders, LOG_LEVEL: 'warn' };
  const publisher = createImagePublisher({ address: { host: '127.0.0.1', port: nsq.ports.nsqdTcp }, log: silent });
  const services: Service[] = [];
  let made = 0;

  async function newPhoto(): Promise<string> {
    made += 1;
    const name = `${made}.jpg`;
    const file = join(folders.UNKNOWN_PEOPLE, name);
    await link(join(folder, 'photo.jpg'), file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EMLINK') throw error; // a file may have so many names
      return writeFile(file, photo);
    });
    return name;
  }

  async function stopServices(): Promise<void> {
    for (const service of services.splice(0).toReversed()) await service.stop();
  }

  return {
    database,
    env,
    pids: { mysql: mysql.pid(), nsqd: nsq.nsqd.pid(), bench: process.pid },
    newPhoto,
    stopServices,
    async start(name, more = {}) {
      const service = await startService(name, { ...env, ...more });
      services.push(service);
      return service;
    },
    async queue(photos) {
      const paths = await Promise.all(Array.from({ length: photos }, newPhoto));
      await database.query('insert into images (path) values ?', [paths.map((path) => [path])]);
      const rows = await database.query<RowDataPacket[]>('select id from images where path in (?)', [paths]);
      const ids = rows.map(({ id }) => id as number);
      for (let at = 0; at < ids.length; at += PUBLISHED_AT_ONCE) await publisher.publish(ids.slice(at, at + PUBLISHED_AT_ONCE));
    },
    async stop() {
      await stopServices();
      await publisher.close();
      await nsq.stop();
      await database.close();
      await mysql.stop();
      removeFolder(folder);
    },
  };
}
