import { randomUUID } from 'node:crypto';
import type { Lifecycle } from '@kube-face/shared-lib/lifecycle';
import type { Logger } from '@kube-face/shared-lib/logger';
import type { Database } from '@kube-face/shared-lib/mysql';
import type { Tracer } from '@kube-face/shared-lib/tracing';
import { createTurns } from '@kube-face/shared-lib/turns';
import { startBackground } from './background.ts';
import type { Config } from './config.ts';
import { createEnrolPerson } from './enrol-person.ts';
import { createErasePerson } from './erase-person.ts';
import { createErasureStore } from './erasure-store.ts';
import { createForgetPerson } from './forget-person.ts';
import { createFreePhotos } from './free-photos.ts';
import { createGalleryClient } from './gallery-client.ts';
import type { Idempotency } from './idempotency.ts';
import { createKnownPhotos } from './known-photos.ts';
import { peopleRoutes } from './people-routes.ts';
import { createPersonReader } from './person-reader.ts';
import { createPersonStore } from './person-store.ts';
import { createRedecide } from './redecide.ts';
import { redecisionRoutes } from './redecision-routes.ts';
import { createRedecisionStore } from './redecision-store.ts';
import { createRenamePerson } from './rename-person.ts';
import type { Route } from './route.ts';

export type PeopleApiParts = {
  config: Pick<Config, 'grpcAddress' | 'grpcTls' | 'knownPeople'>;
  log: Logger;
  lifecycle: Pick<Lifecycle, 'onClose'>;
  tracer: Pick<Tracer, 'span' | 'begin'>;
  database: Database;
  idempotency: Pick<Idempotency, 'redact'>;
};

// Each holds a database connection for its lock, so there must be fewer of them than connections.
const NAMES_AT_ONCE = 4;
const REDECIDE_EVERY_MS = 5_000;
const FORGET_EVERY_MS = 5_000;

/** Puts together what is about people; what it opens closes with the lifecycle. */
export function createPeopleApi(parts: PeopleApiParts): Route[] {
  const { config, log, lifecycle, tracer, database, idempotency } = parts;
  const gallery = createGalleryClient(config.grpcAddress, config.grpcTls, tracer);
  lifecycle.onClose('gallery client', () => gallery.close());
  const store = createPersonStore(database);
  const owner = randomUUID();
  const redecisions = createRedecisionStore(database, owner);
  const redecide = createRedecide({ store: redecisions, people: store, gallery, tracer, log });
  const redeciding = startBackground({ name: 'redecisions', everyMs: REDECIDE_EVERY_MS, work: redecide.next, log });
  lifecycle.onClose('redecisions', () => redeciding.close());

  const knownPhotos = createKnownPhotos(config.knownPeople);
  const enrol = createEnrolPerson({ gallery, people: store, knownPhotos, log, onEnrolled: redeciding.poke });
  const rename = createRenamePerson(store);

  const erasures = createErasureStore(database, { owner });
  const freePhotos = createFreePhotos(database);
  const forget = createForgetPerson({ store: erasures, freePhotos, idempotency, log });
  const forgetting = startBackground({ name: 'erased people', everyMs: FORGET_EVERY_MS, work: forget.next, log });
  lifecycle.onClose('erased people', () => forgetting.close());
  const erase = createErasePerson({ database, people: store, knownPhotos, gallery, freePhotos, log });
  const inTurn = createTurns({ atOnce: NAMES_AT_ONCE });

  const routes = peopleRoutes({
    enrol: (name, photos) => inTurn(() => enrol(name, photos)),
    people: createPersonReader(database),
    folder: config.knownPeople,
    rename: (id, name) => inTurn(() => rename(id, name)),
    erase: (id) => inTurn(() => erase(id)),
    isSwept: (erasure) => {
      forgetting.poke();
      return forget.isSwept(erasure);
    },
    erasures,
  });
  return [...routes, ...redecisionRoutes({ redecisions, rehearse: redecide.rehearse, onOrdered: redeciding.poke })];
}
