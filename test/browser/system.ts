import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { MysqlConfig } from '@kube-face/shared-lib/env';
import { createDatabase, type Database } from '@kube-face/shared-lib/mysql';
import { expect, vi } from 'vitest';
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
 * The system on this machine, as a browser meets it: all of it, or only what takes photos and shows them, or the pages alone.
 * `env` is added to what the receiver is told.
 */
export async function startSystem(
  parts: 'all' | 'posting' | 'pages',
  { env = {}, mysql: given }: { env?: Env; mysql?: MysqlConfig } = {},
): Promise<System> {
  const mysql = given ?? (await freshDatabase());
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

  if (parts !== 'pages') {
    const nsq = await startNsq();
    stops.unshift(() => nsq.stop());
    const engine = parts === 'all' ? await start('face-recognition', { ...photos, WORKERS: '1' }) : undefined;
    const rest = { ...common, ...nsq.env, ...(engine && { GRPC_ADDRESS: engine.env.GRPC_ADDRESS ?? '' }) };
    if (engine) await start('image-processor', rest);
    await start('receiver', { ...rest, RECEIVER_PORT: receiverPort, ALLOWED_ORIGINS: `:${pagePort}`, ...env });
  }
  const frontend = await start('frontend', { ...common, FRONTEND_PORT: pagePort, RECEIVER_PUBLIC_URL: `:${receiverPort}` });
  // Its tables are there once the page is.
  await vi.waitFor(async () => expect((await fetch(frontend.url)).status).toBe(200), { timeout: 30_000 });
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
