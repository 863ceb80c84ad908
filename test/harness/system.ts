import type { MysqlConfig } from '@kube-face/shared-lib/env';
import type { Database } from '@kube-face/shared-lib/mysql';
import { expect, vi } from 'vitest';
import { freePort } from '../../scripts/parts/ports.ts';
import { freshDatabase, freshTables, mysqlEnv } from './database.ts';
import { type Nsq, startNsq } from './nsq.ts';
import { makePhotoFolders } from './photo-folders.ts';
import { type Env, type Service, type ServiceName, startService } from './service.ts';

export type System = {
  /** Where the page is. */
  url: string;
  mysql: MysqlConfig;
  database: Database;
  /** Not for the pages alone. */
  nsq: Nsq | undefined;
  knownPeople: string;
  unknownPeople: string;
  /** What every service was told, but for ports of its own. */
  env: Env;
  /** Those that were started, in their order. */
  services: readonly Service[];
  /** Throws where it was not started. */
  service(name: ServiceName): Service;
  stop(): Promise<void>;
};

/**
 * The system on this machine, as a client meets it: all of it, or only what takes photos and shows them, or the pages alone.
 * `env` is added to what each service is told.
 */
export async function startSystem(
  parts: 'all' | 'posting' | 'pages',
  { env: more = {}, mysql: given }: { env?: Env; mysql?: MysqlConfig } = {},
): Promise<System> {
  const mysql = given ?? (await freshDatabase());
  const photos = makePhotoFolders();
  const [pagePort, receiverPort] = [String(await freePort()), String(await freePort())];
  const services = new Map<ServiceName, Service>();
  let env: Env = { ...mysqlEnv(mysql), ...photos, ...more };

  async function start(name: ServiceName, own: Env = {}): Promise<Service> {
    const service = await startService(name, { ...env, ...own });
    services.set(name, service);
    return service;
  }

  const nsq = parts === 'pages' ? undefined : await startNsq();
  env = { ...env, ...nsq?.env };
  if (parts === 'all') {
    const engine = await start('face-recognition', { WORKERS: '1' });
    env = { ...env, GRPC_ADDRESS: engine.env.GRPC_ADDRESS ?? '' };
    await start('image-processor');
  }
  if (parts !== 'pages') await start('receiver', { RECEIVER_PORT: receiverPort, ALLOWED_ORIGINS: `:${pagePort}` });
  const frontend = await start('frontend', { FRONTEND_PORT: pagePort, RECEIVER_PUBLIC_URL: `:${receiverPort}` });
  await vi.waitFor(async () => expect((await fetch(frontend.url)).status).toBe(200), { timeout: 30_000 });
  // A page needs some of the tables; the services' migrations, which go one at a time, are over when ours is.
  const database = await freshTables(mysql);

  return {
    url: frontend.url,
    mysql,
    database,
    nsq,
    knownPeople: photos.KNOWN_PEOPLE,
    unknownPeople: photos.UNKNOWN_PEOPLE,
    env,
    services: [...services.values()],
    service(name) {
      const service = services.get(name);
      if (!service) throw new Error(`${name} was not started`);
      return service;
    },
    async stop() {
      await database.close();
      for (const service of [...services.values()].toReversed()) await service.stop();
      await nsq?.stop();
    },
  };
}
