import type { Lifecycle } from '@kube-face/shared-lib/lifecycle';
import type { Logger } from '@kube-face/shared-lib/logger';
import type { Registry } from '@kube-face/shared-lib/metrics';
import { migrateWhenReachable } from '@kube-face/shared-lib/migrate';
import { createDatabase } from '@kube-face/shared-lib/mysql';
import { createImagePublisher } from '@kube-face/shared-lib/nsq-publisher';
import { newBatchToken } from './batch-token.ts';
import type { Config } from './config.ts';
import { createEnrolPerson } from './enrol-person.ts';
import { createGalleryClient } from './gallery-client.ts';
import { createGroupCommit } from './group-commit.ts';
import { createHttpApp } from './http-app.ts';
import { type HttpServer, startHttpServer } from './http-server.ts';
import { createImageReader } from './image-reader.ts';
import { imageRoutes } from './image-routes.ts';
import { createImageWriter } from './image-writer.ts';
import { createKnownPhotos } from './known-photos.ts';
import { peopleRoutes } from './people-routes.ts';
import { createPersonReader } from './person-reader.ts';
import { createPersonStore } from './person-store.ts';
import { createQueuedStamps } from './queued-stamps.ts';
import { serviceRoutes } from './service-routes.ts';
import { sweepTemporaryPhotos } from './temporary-photos.ts';
import { createTurns } from './turns.ts';
import { createUploadImages } from './upload-images.ts';

export type ReceiverOptions = { config: Config; log: Logger; lifecycle: Lifecycle; registry: Registry };

const CONNECTIONS = 16;
const STATEMENT_TIMEOUT_MS = 5_000;
// Each holds a database connection for its lock, so there must be fewer of them than connections.
const ENROLMENTS_AT_ONCE = 4;

/** Puts the receiver together and lets it listen. Nothing that it talks to has to be there. */
export async function startReceiver({ config, log, lifecycle }: ReceiverOptions): Promise<HttpServer> {
  const database = createDatabase(config.mysql, { connections: CONNECTIONS, statementTimeoutMs: STATEMENT_TIMEOUT_MS });
  lifecycle.onClose('mysql pool', () => database.close());
  const closing = new AbortController();
  void migrateWhenReachable(database, log, closing.signal);
  lifecycle.onClose('migration', () => closing.abort());

  const gallery = createGalleryClient(config.grpcAddress);
  lifecycle.onClose('grpc client', () => gallery.close());

  const publisher = createImagePublisher({ address: config.producerAddress, log });
  lifecycle.onClose('nsq publisher', () => publisher.close());
  const stamps = createQueuedStamps({ database, log });
  lifecycle.onClose('queued stamps', () => stamps.close());

  const commits = createGroupCommit({
    writer: createImageWriter({ database }),
    publish: publisher.publish,
    onQueued: stamps.add,
    newToken: () => newBatchToken(Date.now()),
    log,
  });
  lifecycle.onClose('group commit', () => commits.idle());

  const knownPhotos = createKnownPhotos(config.knownPeople);
  const people = createPersonStore(database);
  const enrolOne = createEnrolPerson({ gallery, people, knownPhotos, log, onEnrolled: () => {} });
  const enrolTurns = createTurns(ENROLMENTS_AT_ONCE);

  for (const folder of [config.knownPeople, config.unknownPeople]) void sweepTemporaryPhotos(folder, Date.now(), log);

  const routes = [
    ...imageRoutes({
      commits,
      reader: createImageReader(database),
      upload: createUploadImages({ commits, folder: config.unknownPeople }),
    }),
    ...peopleRoutes({
      enrol: (name, photos) => enrolTurns(() => enrolOne(name, photos)),
      people: createPersonReader(database),
      folder: config.knownPeople,
    }),
  ];
  const app = createHttpApp({ routes: [...routes, ...serviceRoutes(routes)], log });
  const server = await startHttpServer({ port: config.port, listener: app });
  lifecycle.onClose('http server', () => server.close());
  return server;
}
