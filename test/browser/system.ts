import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { MysqlConfig } from '@kube-face/shared-lib/env';
import { createDatabase, type Database } from '@kube-face/shared-lib/mysql';
import { freePort } from '../../scripts/parts/ports.ts';
import { freshDatabase, mysqlEnv } from '../harness/database.ts';
import { startNsq } from '../harness/nsq.ts';
import { type Env, type Service, startService } from '../harness/service.ts';
import { tempFolder } from '../harness/temp-folder.ts';

export type System = {
  /** Where the page is. */
  url: string;
  frontend: Service;
  mysql: MysqlConfig;
  database: Database;
  knownPeople: string;
  unknownPeople: string;
  stop(): Promise<void>;
};

/**
 * The whole system on this machine, as a browser meets it; or, without `recognition`, the frontend with its database alone.
 * `env` is added to what the receiver is told.
 */
export async function startSystem({ recognition, env = {} }: { recognition: boolean; env?: Env }): Promise<System> {
  const mysql = await freshDatabase();
  const folder = tempFolder('photos');
  const [knownPeople, unknownPeople] = [join(folder, 'known_people'), join(folder, 'unknown_people')];
  for (const one of [knownPeople, unknownPeople]) mkdirSync(one);

  const [pagePort, receiverPort] = [String(await freePort()), String(await freePort())];
  const photos = { KNOWN_PEOPLE: knownPeople, UNKNOWN_PEOPLE: unknownPeople };
  const common = { ...mysqlEnv(mysql), ...photos };
  const stops: (() => Promise<unknown>)[] = [];
  const start = async (...args: Parameters<typeof startService>) => {
    const service = await startService(...args);
    stops.unshift(() => service.stop());
    return service;
  };

  if (recognition) {
    const nsq = await startNsq();
    stops.unshift(() => nsq.stop());
    const engine = await start('face-recognition', { ...photos, WORKERS: '1' });
    const rest = { ...common, ...nsq.env, GRPC_ADDRESS: engine.env.GRPC_ADDRESS ?? '' };
    await start('image-processor', rest);
    await start('receiver', { ...rest, RECEIVER_PORT: receiverPort, ALLOWED_ORIGINS: `:${pagePort}`, ...env });
  }
  const frontend = await start('frontend', { ...common, FRONTEND_PORT: pagePort, RECEIVER_PUBLIC_URL: `:${receiverPort}` });
  const database = createDatabase(mysql);
  stops.unshift(() => database.close());

  return {
    url: frontend.url,
    frontend,
    mysql,
    database,
    knownPeople,
    unknownPeople,
    async stop() {
      for (const stop of stops) await stop();
    },
  };
}
