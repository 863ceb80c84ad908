import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { MysqlConfig } from '@kube-face/shared-lib/env';
import { type Collector, startCollector } from './collector.ts';
import { freshDatabase, mysqlEnv } from './database.ts';
import { type Nsq, startNsq } from './nsq.ts';
import { type Env, type Service, type ServiceName, startService } from './service.ts';
import { tempFolder } from './temp-folder.ts';

export type WatchedSystem = {
  services: ReadonlyMap<ServiceName, Service>;
  one(name: ServiceName): Service;
  /** What the services were told, face recognition apart. */
  env: Env;
  mysql: MysqlConfig;
  nsq: Nsq;
  collector: Collector;
  unknownPeople: string;
  /** Headers of a client that is let in and wants JSON. */
  headers: { authorization: string; accept: string };
  stop(): Promise<void>;
};

/** The four services, at their most talkative: a token is asked for, everything is logged and traced. */
export async function startWatchedSystem(): Promise<WatchedSystem> {
  const [mysql, nsq, collector] = [await freshDatabase(), await startNsq(), await startCollector()];
  const folder = tempFolder('photos');
  const photos = { KNOWN_PEOPLE: join(folder, 'known'), UNKNOWN_PEOPLE: join(folder, 'unknown') };
  for (const path of Object.values(photos)) mkdirSync(path);
  const services = new Map<ServiceName, Service>();
  const seen = { LOG_LEVEL: 'trace', OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint };
  const recognition = await startService('face-recognition', { ...photos, ...seen, WORKERS: '1' });
  services.set('face-recognition', recognition);
  const token = `marked-${randomBytes(12).toString('hex')}`;
  const env: Env = {
    ...mysqlEnv(mysql),
    ...nsq.env,
    ...photos,
    ...seen,
    GRPC_ADDRESS: recognition.env.GRPC_ADDRESS ?? '',
    API_TOKEN: token,
  };
  for (const name of ['image-processor', 'receiver', 'frontend'] as const) services.set(name, await startService(name, env));
  return {
    services,
    one: (name) => services.get(name) as Service,
    env,
    mysql,
    nsq,
    collector,
    unknownPeople: photos.UNKNOWN_PEOPLE,
    headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
    async stop() {
      for (const service of [...services.values()].reverse()) await service.stop();
      await nsq.stop();
      collector.close();
    },
  };
}
