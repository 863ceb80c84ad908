import { mkdirSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { photosOf } from '../../../scripts/demo/sample-files.ts';
import { freshDatabase, mysqlEnv } from '../../../test/harness/database.ts';
import { type Nsq, startNsq } from '../../../test/harness/nsq.ts';
import { type Service, startService } from '../../../test/harness/service.ts';
import { tempFolder } from '../../../test/harness/temp-folder.ts';
import { createGalleryClient, type GalleryClient } from '../src/gallery-client.ts';
import { ask, photoForm } from './world.ts';

// Two processes of real face recognition over one folder: the receiver talks to the first, the second learns for itself.
type Pod = { service: Service; gallery: GalleryClient; cache: string };
let nsq: Nsq;
let receiver: Service;
let known: string;
const pods: Pod[] = [];

beforeAll(async () => {
  const mysql = await freshDatabase();
  nsq = await startNsq();
  const folder = tempFolder('erase');
  const folders = { KNOWN_PEOPLE: join(folder, 'known'), UNKNOWN_PEOPLE: join(folder, 'unknown') };
  for (const one of Object.values(folders)) mkdirSync(one);
  known = folders.KNOWN_PEOPLE;
  for (const name of ['cache-a', 'cache-b']) {
    const cache = join(folder, name);
    const service = await startService('face-recognition', { ...folders, GALLERY_CACHE: cache, WORKERS: '1' });
    pods.push({ service, cache, gallery: createGalleryClient(service.env.GRPC_ADDRESS ?? '') });
  }
  receiver = await startService('receiver', {
    ...mysqlEnv(mysql),
    ...nsq.env,
    ...folders,
    GRPC_ADDRESS: pods[0]?.service.env.GRPC_ADDRESS ?? '',
    DRAIN_MS: '0',
  });
  // It listens before the database has its tables.
  await vi.waitFor(async () => expect((await ask(`${receiver.url}/people`, 'GET')).status).toBe(200), within);
});
afterAll(async () => {
  await receiver?.stop();
  for (const { service, gallery } of pods) {
    gallery.close();
    await service.stop();
  }
  await nsq.stop();
});

const sizes = () => Promise.all(pods.map(async ({ gallery }) => (await gallery.describe()).gallerySize));
/** Cached descriptors, whatever else a process keeps beside them. */
const cached = () =>
  Promise.all(
    pods.map(async ({ cache }) => (await readdir(cache, { recursive: true })).filter((name) => /[0-9a-f]{32}/.test(name)).length),
  );
/** What takes effect "within 5 s", with time for a busy machine. */
const within = { timeout: 20_000, interval: 50 };

test('erasing a person takes photos, gallery entries and cached descriptors from every process', async () => {
  const photos = (await photosOf('Alice')).map(({ bytes }) => Buffer.from(bytes));
  const enrolled = await ask(`${receiver.url}/people`, 'POST', photoForm(photos, 'Alice'));
  expect(enrolled.status).toBe(201);
  await vi.waitFor(async () => expect(await sizes()).toEqual([photos.length, photos.length]), within);
  await vi.waitFor(async () => expect(Math.min(...(await cached()))).toBeGreaterThan(0), within);

  const { status } = await ask(`${receiver.url}/people/${enrolled.json.person.id}`, 'DELETE');
  expect(status).toBe(200);
  expect((await readdir(known)).filter((name) => !name.startsWith('.'))).toEqual([]);
  expect((await sizes())[0]).toBe(0);
  await vi.waitFor(async () => expect(await sizes()).toEqual([0, 0]), within);
  await vi.waitFor(async () => expect(await cached()).toEqual([0, 0]), within);
  for (const { cache } of pods) {
    for (const name of await readdir(cache, { recursive: true })) {
      expect(await readFile(join(cache, name)).then(String, () => '')).not.toContain(enrolled.json.images[0]?.imageName);
    }
  }
});
