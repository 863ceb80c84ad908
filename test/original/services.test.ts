import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDatabase, type Database, type RowDataPacket } from '@kube-face/shared-lib/mysql';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { photoOf, sampleFile } from '../../scripts/demo/sample-files.ts';
import { freshDatabase, mysqlEnv } from '../harness/database.ts';
import { type Nsq, startNsq } from '../harness/nsq.ts';
import { makePhotoFolders } from '../harness/photo-folders.ts';
import { type Env, type Service, type ServiceName, startService } from '../harness/service.ts';
import { HEALTH_CHECK, IDENTIFY, originalCall, readTextField, startOriginalRecognition, textField } from './original-calls.ts';
import { ORIGINAL_SCHEMA, originalDatabase } from './original-database.ts';
import { originalConsume, originalPublish } from './original-queue.ts';

const soon = { timeout: 30_000, interval: 50 };

let database: Database;
let original: ReturnType<typeof originalDatabase>;
let nsq: Nsq;
let env: Env;
const services: Service[] = [];

/** Its database, and known and unknown photos in its folders; of the services only ours that a test starts. */
beforeAll(async () => {
  const mysql = await freshDatabase();
  database = createDatabase(mysql);
  for (const sql of ORIGINAL_SCHEMA) await database.query(sql);
  original = originalDatabase(database);
  nsq = await startNsq();
  const folders = makePhotoFolders();
  env = { ...mysqlEnv(mysql), ...nsq.env, ...folders, RETRY_BASE_MS: '200' };

  const face = await photoOf('Alice');
  writeFileSync(join(folders.KNOWN_PEOPLE, 'hannibal_1.jpg'), face);
  const small = await sharp(face).resize(250).jpeg().toBuffer();
  const stranger = await sharp(sampleFile('sample5.jpg')).resize(640).jpeg().toBuffer();
  for (const name of ['a', 'b', 'c', 'd']) writeFileSync(join(folders.UNKNOWN_PEOPLE, `${name}.jpg`), small);
  for (const name of ['stranger', 'stranger-2']) writeFileSync(join(folders.UNKNOWN_PEOPLE, `${name}.jpg`), stranger);
});

afterAll(async () => {
  await stopServices();
  await nsq.stop();
  await database.close();
});

async function start(name: ServiceName, more: Env = {}): Promise<Service> {
  const service = await startService(name, { ...env, ...more });
  services.unshift(service);
  return service;
}

async function stopServices(): Promise<void> {
  for (const service of services.splice(0)) expect(await service.stop()).toBe(0);
}

function littleEndian(id: number): Buffer {
  return Buffer.from([id & 0xff, (id >> 8) & 0xff, (id >> 16) & 0xff, 0, 0, 0, 0, 0]);
}

async function rowOf(id: number): Promise<RowDataPacket | undefined> {
  return (await database.query<RowDataPacket[]>('select * from images where id = ?', [id]))[0];
}

test("photos that the original's receiver saved and queued are recognised by ours", async () => {
  const recognition = await start('face-recognition', { WORKERS: '1' });
  await start('image-processor', { GRPC_ADDRESS: recognition.env.GRPC_ADDRESS ?? '' });
  const ids: number[] = [];
  for (const path of ['/unknown_people/a.jpg', '/unknown_people/stranger.jpg', '/unknown_people/nobody.jpg']) {
    const id = await original.receiver.save(path);
    await originalPublish(nsq.ports.nsqdTcp, littleEndian(id));
    ids.push(id);
  }
  const [known = 0, stranger = 0, missing = 0] = ids;

  await vi.waitFor(async () => expect(await original.receiver.load(known)).toMatchObject({ person: 1, status: 1 }), soon);
  await vi.waitFor(async () => expect(await original.receiver.load(stranger)).toMatchObject({ person: -1, status: 1 }), soon);
  await vi.waitFor(async () => expect(await original.receiver.load(missing)).toMatchObject({ person: -1, status: 2 }), soon);
  await stopServices();
});

test("the original's processor works through what ours queued, and ours show what it wrote", async () => {
  const recognition = await start('face-recognition', { WORKERS: '1' });
  const address = recognition.env.GRPC_ADDRESS ?? '';
  const receiver = await start('receiver', { GRPC_ADDRESS: address });
  const frontend = await start('frontend');
  const post = (path: string) => fetch(`${receiver.url}/image/post`, { method: 'POST', body: JSON.stringify({ path }) });

  /** What its processor does with one message. */
  async function processOne(): Promise<number> {
    const body = await originalConsume(nsq.ports.nsqdTcp);
    expect(body).toHaveLength(8);
    const id = Number(body.readBigUInt64LE());
    expect(body).toEqual(littleEndian(id));
    const path = await original.processor.pathOf(id);
    if (path === undefined) throw new Error(`${id} is not pending`);
    const name = readTextField(await originalCall(address, IDENTIFY, textField(path)));
    const person = name === 'not_found' ? undefined : await original.processor.personOf(name);
    await (person ? original.processor.setPerson(id, person.id) : original.processor.setFailed(id));
    return id;
  }

  expect((await post('/unknown_people/b.jpg')).status).toBe(200);
  const known = await processOne();
  expect((await post('/unknown_people/stranger-2.jpg')).status).toBe(200);
  const stranger = await processOne();

  const seen = async (id: number) => (await fetch(`${receiver.url}/images/${id}`)).json();
  expect(await seen(known)).toMatchObject({ status: 'processed', outcome: 'match', person: { id: 1, name: 'Hannibal' } });
  expect(await seen(stranger)).toMatchObject({ status: 'failed', person: null });
  const page = await (await fetch(frontend.url)).text();
  expect(page).toContain('Hannibal');
  await stopServices();
});

test("the original's client gets its answers from our face recognition", async () => {
  const recognition = await start('face-recognition', { WORKERS: '1' });
  const address = recognition.env.GRPC_ADDRESS ?? '';

  expect(await originalCall(address, HEALTH_CHECK, Buffer.alloc(0))).toEqual(Buffer.from([0x08, 0x01]));
  const known = await originalCall(address, IDENTIFY, Buffer.from('0a05612e6a7067', 'hex')); // a.jpg
  expect(readTextField(known)).toBe('hannibal_1.jpg');
  expect(readTextField(await originalCall(address, IDENTIFY, textField('stranger.jpg')))).toBe('not_found');
  await expect(originalCall(address, IDENTIFY, textField('nobody.jpg'))).rejects.toThrow(/NOT_FOUND/);
  await stopServices();
});

test("our processor asks the original's face recognition, which tells one name and nothing else", async () => {
  const paths: string[] = [];
  const recognition = await startOriginalRecognition((path) => {
    paths.push(path);
    if (path.endsWith('c.jpg')) return 'john_doe_1.jpg';
    return path.endsWith('d.jpg') ? 'nobodys.jpg' : 'not_found';
  });
  await start('image-processor', { GRPC_ADDRESS: recognition.address });
  const ids: number[] = [];
  for (const path of ['c.jpg', 'd.jpg', 'e.jpg']) {
    const id = await original.receiver.save(path);
    await originalPublish(nsq.ports.nsqdTcp, littleEndian(id));
    ids.push(id);
  }
  const [known = 0, nobodys = 0, unknown = 0] = ids;

  await vi.waitFor(async () => expect(await rowOf(known)).toMatchObject({ status: 1, person: 3, outcome: 'match' }), soon);
  await vi.waitFor(async () => expect(await rowOf(nobodys)).toMatchObject({ status: 1, person: -1, outcome: 'unknown' }), soon);
  await vi.waitFor(async () => expect(await rowOf(unknown)).toMatchObject({ status: 1, person: -1, outcome: 'unknown' }), soon);
  expect(paths.toSorted()).toEqual(['c.jpg', 'd.jpg', 'e.jpg']);
  await stopServices();
  recognition.stop();
});

test('no person that a row names is unknown, which is what its page dies of', async () => {
  const images = await original.frontend.images();
  expect(images.length).toBeGreaterThan(5);
  for (const { person } of images) {
    if (person !== -1) expect(await original.frontend.nameOf(person)).toBeDefined();
  }
});

test('both processors at once: a photo that the original took is not taken by ours, and the other way round', async () => {
  const recognition = await startOriginalRecognition(() => 'john_doe_1.jpg');
  const taken = await original.receiver.save('taken.jpg');
  await original.processor.setPerson(taken, 1);
  const failed = await original.receiver.save('failed.jpg');
  await original.processor.setFailed(failed);
  const processing = await original.receiver.save('processing.jpg');
  await database.query('update images set status = 3 where id = ?', [processing]);
  const ours = await original.receiver.save('ours.jpg');
  await start('image-processor', { GRPC_ADDRESS: recognition.address });
  for (const id of [taken, failed, processing, ours]) await originalPublish(nsq.ports.nsqdTcp, littleEndian(id));
  await vi.waitFor(async () => expect(await rowOf(ours)).toMatchObject({ status: 1, person: 3 }), soon);

  expect(await original.processor.pathOf(ours)).toBeUndefined();
  expect(await rowOf(taken)).toMatchObject({ status: 1, person: 1, attempts: 0 });
  expect(await rowOf(failed)).toMatchObject({ status: 2, person: -1, attempts: 0 });
  expect(await rowOf(processing)).toMatchObject({ status: 3, attempts: 0 }); // for five minutes
  await stopServices();
  recognition.stop();
});
