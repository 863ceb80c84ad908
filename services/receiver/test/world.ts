import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { MysqlConfig } from '@kube-face/shared-lib/env';
import { IMAGES_CHANNEL, IMAGES_TOPIC } from '@kube-face/shared-lib/image-id';
import { createLifecycle } from '@kube-face/shared-lib/lifecycle';
import { silent } from '@kube-face/shared-lib/logger';
import { Registry } from '@kube-face/shared-lib/metrics';
import type { Database } from '@kube-face/shared-lib/mysql';
import { untraced } from '@kube-face/shared-lib/tracing';
import { Reader } from 'nsqjs';
import { expect, vi } from 'vitest';
import { freshDatabase, freshTables } from '../../../test/harness/database.ts';
import { type Nsq, startNsq } from '../../../test/harness/nsq.ts';
import { makePhotoFolders } from '../../../test/harness/photo-folders.ts';
import { startTcpProxy, type TcpProxy } from '../../../test/harness/tcp-proxy.ts';
import { type Config, loadConfig } from '../src/config.ts';
import { startReceiver } from '../src/receiver.ts';
import { type FakeGallery, startFakeGallery } from './fake-gallery.ts';

export type Answer = { status: number; headers: Headers; text: string; json: Body };

/** What the tests read of an answer's body; an answer has the fields of its route. */
export type Body = {
  id: number;
  error: { code: string; message: string; details: unknown[] };
  images: { id: number; path: string; status: string; imageName: string; duplicate?: boolean; error?: { code: string } }[];
  next: number | null;
  detail: string | null;
  person: { id: number; name: string };
  people: { id: number; name: string; imageCount: number }[];
  changedPhotos: number;
  redeciding: boolean;
  paths: Record<string, Record<string, unknown>>;
};

export type World = {
  mysql: MysqlConfig;
  database: Database;
  nsq: Nsq;
  gallery: FakeGallery;
  knownPeople: string;
  unknownPeople: string;
  wayToMysql: TcpProxy;
  /** Asks the receiver; a body that is no FormData, text or bytes goes as JSON. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Another receiver beside the first, with other settings. */
  another(settings: Partial<Config>): Promise<{ url: string; close(): Promise<boolean> }>;
  /** Ids that nsqd has got, in no order; they are taken out. */
  queued(): Promise<number[]>;
  /** Starts the gallery anew where it died. */
  restartGallery(): Promise<void>;
  removeKnown(imageName: string): Promise<void>;
  url: string;
  close(): Promise<void>;
};

/** A receiver with real MySQL and nsqd, and a face recognition that knows fake photos. */
export async function startWorld(): Promise<World> {
  const nsq = await startNsq();
  const consumer = await startConsumer(nsq);
  const mysql = await freshDatabase();
  const wayToMysql = await startTcpProxy(mysql.port);
  const database = await freshTables(mysql);
  const { KNOWN_PEOPLE: knownPeople, UNKNOWN_PEOPLE: unknownPeople } = makePhotoFolders();
  let gallery = await startFakeGallery(knownPeople);
  const defaults: Config = {
    ...loadConfig({ MYSQL_USERPASSWORD: 'unused:unused' }),
    port: 0,
    mysql: { ...mysql, port: wayToMysql.port },
    producerAddress: { host: '127.0.0.1', port: nsq.ports.nsqdTcp },
    nsqdHttpAddress: { host: '127.0.0.1', port: nsq.ports.nsqdHttp },
    grpcAddress: gallery.address,
    knownPeople,
    unknownPeople,
    drainMs: 0,
  };

  async function another(settings: Partial<Config>) {
    const lifecycle = createLifecycle({ log: silent, graceMs: 20_000 });
    const options = { config: { ...defaults, ...settings }, log: silent, lifecycle, registry: new Registry(), tracer: untraced };
    const { port } = await startReceiver(options);
    return { url: `http://127.0.0.1:${port}`, close: lifecycle.close };
  }
  const receiver = await another({});

  return {
    mysql,
    database,
    nsq,
    get gallery() {
      return gallery;
    },
    knownPeople,
    unknownPeople,
    wayToMysql,
    another,
    url: receiver.url,
    ask: (method, path, body, headers) => ask(`${receiver.url}${path}`, method, body, headers),
    queued: consumer.queued,
    removeKnown: (imageName) => rm(join(knownPeople, imageName)),
    async restartGallery() {
      gallery.stop();
      gallery = await startFakeGallery(knownPeople, gallery.port);
    },
    async close() {
      consumer.close();
      await receiver.close();
      gallery.stop();
      await wayToMysql.close();
      await database.close();
      await nsq.stop();
    },
  };
}

export async function ask(url: string, method: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(url, { method, headers, body: bodyOf(body) });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json');
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
}

function bodyOf(body: unknown): FormData | string | Buffer<ArrayBuffer> | null {
  if (body === undefined) return null;
  if (body instanceof FormData || typeof body === 'string' || Buffer.isBuffer(body))
    return body as FormData | string | Buffer<ArrayBuffer>;
  return JSON.stringify(body);
}

/** A form with a person's name, where there is one, and photos. */
export function photoForm(photos: readonly Buffer<ArrayBuffer>[], name?: string): FormData {
  const form = new FormData();
  if (name !== undefined) form.append('name', name);
  for (const [index, photo] of photos.entries()) form.append('image', new Blob([photo]), `photo-${index}.jpg`);
  return form;
}

/** Takes every id that nsqd hands out; `queued` tells those that have come, once nsqd holds no more. */
async function startConsumer({ ports }: Nsq) {
  let ids: number[] = [];
  const options = { nsqdTCPAddresses: `127.0.0.1:${ports.nsqdTcp}`, maxInFlight: 500 };
  const reader = new Reader(IMAGES_TOPIC, IMAGES_CHANNEL, options);
  reader.on('message', (message) => {
    ids.push(Number(message.body.readBigUInt64LE()));
    message.finish();
  });
  const isConnected = once(reader, 'nsqd_connected');
  reader.connect();
  await isConnected;
  return {
    close: () => reader.close(),
    async queued(): Promise<number[]> {
      await vi.waitFor(async () => expect(await leftIn(ports.nsqdHttp)).toBe(0), { timeout: 30_000, interval: 10 });
      const all = ids;
      ids = [];
      return all;
    },
  };
}

type Counted = { message_count: number; depth: number; in_flight_count: number; deferred_count: number };

/** Messages that the consumer has not finished; those on their way from the topic to its channel stand in no depth. */
async function leftIn(nsqdHttp: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${nsqdHttp}/stats?format=json&topic=${IMAGES_TOPIC}`);
  const { topics } = (await response.json()) as { topics: { message_count: number; channels: Counted[] }[] };
  return topics
    .flatMap(({ message_count, channels }) => channels.map((channel) => ({ ...channel, on_their_way: message_count })))
    .reduce((sum, one) => sum + one.on_their_way - one.message_count + one.depth + one.in_flight_count + one.deferred_count, 0);
}
