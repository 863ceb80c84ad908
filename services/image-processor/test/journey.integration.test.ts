import { status } from '@grpc/grpc-js';
import type { MysqlConfig } from '@kube-face/shared-lib/env';
import { silent } from '@kube-face/shared-lib/logger';
import type { Database, ResultSetHeader, RowDataPacket } from '@kube-face/shared-lib/mysql';
import { createImagePublisher, type ImagePublisher } from '@kube-face/shared-lib/nsq-publisher';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { freshDatabase, freshTables, mysqlEnv } from '../../../test/harness/database.ts';
import { type Nsq, startNsq } from '../../../test/harness/nsq.ts';
import { type Service, startService } from '../../../test/harness/service.ts';
import { startTcpProxy, type TcpProxy } from '../../../test/harness/tcp-proxy.ts';
import { type FakeFaceServer, startFakeFaceServer } from './fake-face-server.ts';
import { fakeAnswer, fakeFace } from './fakes.ts';

let nsq: Nsq;
let mysql: MysqlConfig;
let wayToMysql: TcpProxy;
let database: Database;
let faces: FakeFaceServer;
let publisher: ImagePublisher;
let processor: Service;

const soon = { timeout: 20_000, interval: 50 };
let paths = 0;

beforeAll(async () => {
  nsq = await startNsq();
  mysql = await freshDatabase();
  wayToMysql = await startTcpProxy(mysql.port);
  database = await freshTables(mysql);
  faces = await startFakeFaceServer();
  publisher = createImagePublisher({ address: { host: '127.0.0.1', port: nsq.ports.nsqdTcp }, log: silent });
  processor = await startProcessor();
});

afterAll(async () => {
  await processor.stop();
  await publisher.close();
  faces.stop();
  await wayToMysql.close();
  await database.close();
  await nsq.stop();
});

beforeEach(() => {
  faces.answer = () => fakeAnswer([]);
});

function startProcessor(): Promise<Service> {
  return startService('image-processor', {
    ...mysqlEnv({ ...mysql, port: wayToMysql.port }),
    ...nsq.env,
    GRPC_ADDRESS: faces.address,
    RETRY_BASE_MS: '100',
    MAX_ATTEMPTS: '3',
    BREAK_MS: '300',
    LEASE_MS: '3000',
    CALL_TIMEOUT_MS: '1000',
  });
}

async function save(): Promise<number> {
  paths += 1;
  return (await database.execute<ResultSetHeader>('insert into images (path) values (?)', [`${paths}.jpg`])).insertId;
}

async function post(): Promise<number> {
  const id = await save();
  await publisher.publish([id]);
  return id;
}

async function rowOf(id: number): Promise<RowDataPacket> {
  const [row] = await database.query<RowDataPacket[]>('select * from images where id = ?', [id]);
  if (!row) throw new Error(`no row ${id}`);
  return row;
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${processor.metricsUrl}/metrics`)).text();
  return Number(new RegExp(`^kube_face_${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
}

test('a photo that is posted gets its person', async () => {
  const { insertId: person } = await database.query<ResultSetHeader>("insert into person (name) values ('Hannibal')");
  await database.query("insert into person_images (image_name, person_id) values ('hannibal_1.jpg', ?)", [person]);
  faces.answer = () =>
    fakeAnswer([
      fakeFace([
        ['nobodys.jpg', 0.1],
        ['hannibal_1.jpg', 0.25],
      ]),
    ]);
  const id = await post();

  await vi.waitFor(async () => expect(await rowOf(id)).toMatchObject({ status: 1, outcome: 'match', person, attempts: 1 }), soon);
  expect(await metric('unowned_known_photos_total')).toBe(1);
});

test('a failed attempt is tried again by itself, and the last one stands', async () => {
  faces.answer = () => ({ status: status.INTERNAL, outcome: 'internal', began: true });
  const id = await post();

  await vi.waitFor(async () => expect(await rowOf(id)).toMatchObject({ status: 2, attempts: 3, retry_at: null }), soon);
  expect(await rowOf(id)).toMatchObject({ outcome: 'internal' });
});

test('no more calls at once than face recognition has workers, and one that waits', async () => {
  faces.answer = async () => {
    await vi.waitFor(() => expect(faces.mostAtOnce()).toBeGreaterThanOrEqual(3), soon);
    return fakeAnswer([]);
  };
  const ids = await Promise.all(Array.from({ length: 40 }, save));
  await publisher.publish(ids);

  await vi.waitFor(async () => expect((await rowOf(ids.at(-1) ?? 0)).status).toBe(1), soon);
  await vi.waitFor(async () => expect(await count('status <> 1 and attempts < 3')).toBe(0), soon);
  expect(faces.mostAtOnce()).toBe(3);
});

test('while face recognition is away photos wait, without an attempt and for as long as it takes', async () => {
  const port = Number(faces.address.split(':')[1]);
  faces.stop();
  const ids = await Promise.all(Array.from({ length: 20 }, save));
  await publisher.publish(ids);
  await vi.waitFor(async () => expect(await metric('circuit_open')).toBe(1), soon);
  await vi.waitFor(async () => expect(await count('status = 3')).toBe(0), soon);
  expect(await count("status = 0 and attempts = 0 and detail = 'waiting for recognition'")).toBeGreaterThanOrEqual(5);

  faces = await startFakeFaceServer({ port });
  faces.answer = () => fakeAnswer([]);
  await vi.waitFor(async () => expect(await count('status = 0')).toBe(0), soon);
  expect(await metric('circuit_open')).toBe(0);
  expect(await count('status = 1 and attempts <> 1')).toBe(0);
});

test('a service whose queue is full gets every photo done in the end, without an attempt for those it refused', async () => {
  const refused = new Set<string>();
  faces.answer = (path) => {
    if (refused.has(path)) return fakeAnswer([]);
    refused.add(path);
    return { status: status.RESOURCE_EXHAUSTED };
  };
  const ids = [await post(), await post(), await post()];

  for (const id of ids) await vi.waitFor(async () => expect(await rowOf(id)).toMatchObject({ status: 1, attempts: 1 }), soon);
  expect(await metric('circuit_open')).toBe(0);
});

test('the database may go and come in the middle of it', async () => {
  faces.answer = async (path) => {
    if (path === `${paths}.jpg`) wayToMysql.cut();
    return fakeAnswer([]);
  };
  const { targetPort } = wayToMysql;
  const id = await save();
  wayToMysql.targetPort = 1;
  wayToMysql.cut();
  await publisher.publish([id]);
  await vi.waitFor(() => expect(processor.output()).toContain('no photos are taken'), soon);
  wayToMysql.targetPort = targetPort;

  await vi.waitFor(async () => expect(await rowOf(id)).toMatchObject({ status: 1, attempts: 1 }), soon);
  expect(processor.hasEnded()).toBe(false);
});

test('a photo that was erased before its turn is forgotten', async () => {
  const id = await save();
  await database.query('delete from images where id = ?', [id]);
  await publisher.publish([id]);
  const next = await post();

  await vi.waitFor(async () => expect((await rowOf(next)).status).toBe(1), soon);
});

test('stopped under load, it leaves nothing claimed, and another goes on at once', async () => {
  faces.answer = () => 'wait';
  const ids = await Promise.all(Array.from({ length: 30 }, save));
  await publisher.publish(ids);
  await vi.waitFor(async () => expect(await count('status = 3')).toBeGreaterThan(3), soon);

  expect(await processor.stop()).toBe(0);
  expect(await count('status = 3')).toBe(0);

  faces.answer = () => fakeAnswer([]);
  processor = await startProcessor();
  await vi.waitFor(async () => expect(await count('status <> 1 and attempts < 3')).toBe(0), soon);
});

test('a killed one leaves its photos to another, once their leases have ended', async () => {
  faces.answer = () => 'wait';
  const ids = await Promise.all(Array.from({ length: 10 }, save));
  await publisher.publish(ids);
  await vi.waitFor(async () => expect(await count('status = 3')).toBeGreaterThan(3), soon);
  await processor.kill();
  faces.answer = () => fakeAnswer([]);
  processor = await startProcessor();

  await vi.waitFor(async () => expect(await count('status <> 1 and attempts < 3')).toBe(0), soon);
  expect(await count('status = 1 and attempts <> 1')).toBe(0);
});

async function count(where: string): Promise<number> {
  const [row] = await database.query<RowDataPacket[]>(`select count(*) as photos from images where ${where}`);
  return row?.photos;
}
