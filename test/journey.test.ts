import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createDatabase, type Database, type RowDataPacket } from '@kube-face/shared-lib/mysql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { copySample, cropped } from '../scripts/demo/sample-files.ts';
import { PEOPLE } from '../scripts/demo/samples.ts';
import { freshDatabase, mysqlEnv } from './harness/database.ts';
import { type Nsq, startNsq } from './harness/nsq.ts';
import { type Service, startService } from './harness/service.ts';
import { tempFolder } from './harness/temp-folder.ts';

const RECOGNISED = { timeout: 30_000, interval: 50 };

let database: Database;
let nsq: Nsq;
let receiver: Service;
let frontend: Service;
let unknownPeople: string;
const services: Service[] = [];

async function start(...args: Parameters<typeof startService>): Promise<Service> {
  const service = await startService(...args);
  services.unshift(service);
  return service;
}

beforeAll(async () => {
  const mysql = await freshDatabase();
  database = createDatabase(mysql);
  nsq = await startNsq();
  const folder = tempFolder('photos');
  const photos = { KNOWN_PEOPLE: join(folder, 'known_people'), UNKNOWN_PEOPLE: join(folder, 'unknown_people') };
  for (const one of Object.values(photos)) mkdirSync(one);
  unknownPeople = photos.UNKNOWN_PEOPLE;

  const recognition = await start('face-recognition', { ...photos, WORKERS: '1' });
  const env = { ...mysqlEnv(mysql), ...nsq.env, ...photos, GRPC_ADDRESS: recognition.env.GRPC_ADDRESS ?? '' };
  await start('image-processor', env);
  receiver = await start('receiver', env);
  frontend = await start('frontend', env);
});

afterAll(async () => {
  for (const service of services) await service.stop();
  await nsq.stop();
  await database.close();
});

async function enrol(name: string): Promise<Response> {
  const form = new FormData();
  form.set('name', name);
  for (const crop of PEOPLE.find((person) => person.name === name)?.crops ?? []) {
    form.append('image', new Blob([new Uint8Array(await cropped(crop))]), `${name.toLowerCase()}.jpg`);
  }
  return fetch(`${receiver.url}/people`, { method: 'POST', body: form });
}

/** As `curl -d` sends it. */
async function curl(path: string, body: string): Promise<string> {
  const headers = { accept: '*/*', 'content-type': 'application/x-www-form-urlencoded' };
  const response = await fetch(`${receiver.url}${path}`, { method: 'POST', headers, body });
  expect(response.status).toBe(200);
  return response.text();
}

const ROW = `
  select images.status, images.outcome, person.name as name from images
  left join person on person.id = images.person where images.path = ?`;

async function row(path: string): Promise<{ status: number; outcome: string | null; name: string | null } | undefined> {
  const [found] = await database.query<RowDataPacket[]>(ROW, [path]);
  return found as { status: number; outcome: string | null; name: string | null } | undefined;
}

test('a photo of somebody who was enrolled gets the name, by the first command of the article', async () => {
  expect((await enrol('Alice')).status).toBe(201);
  await copySample('sample3.jpg', unknownPeople); // another photo of Alice than the one she was enrolled from

  const answer = await curl('/image/post', '{"path":"/unknown_people/sample3.jpg"}');

  expect(answer).toMatch(/^got path: \{Path:\/unknown_people\/sample3\.jpg\}\nimage saved with id: \d+\nimage sent to nsq\n$/);
  await expect.poll(() => row('/unknown_people/sample3.jpg'), RECOGNISED).toEqual({ status: 1, outcome: 'match', name: 'Alice' });
});

test('several photos are posted by the second command, and strangers stay unknown', async () => {
  for (const photo of ['sample1.jpg', 'sample2.jpg', 'sample5.jpg']) await copySample(photo, unknownPeople);

  const answer = await curl('/images/post', '{"paths":[{"path":"sample1.jpg"},{"path":"sample2.jpg"},{"path":"sample5.jpg"}]}');

  expect(answer.split('\n')[0]).toBe('got paths: {Paths:[{Path:sample1.jpg} {Path:sample2.jpg} {Path:sample5.jpg}]}');
  await expect.poll(() => row('sample1.jpg'), RECOGNISED).toEqual({ status: 1, outcome: 'match', name: 'Alice' });
  await expect.poll(() => row('sample2.jpg'), RECOGNISED).toEqual({ status: 1, outcome: 'unknown', name: null });
  await expect.poll(() => row('sample5.jpg'), RECOGNISED).toEqual({ status: 1, outcome: 'unknown', name: null });
});

test('a photo that is not there fails with its reason', async () => {
  await curl('/image/post', '{"path":"nobody.jpg"}');
  await expect.poll(() => row('nobody.jpg'), RECOGNISED).toEqual({ status: 2, outcome: 'missing_file', name: null });
});

test('the page shows who was recognised and what is unknown', async () => {
  const response = await fetch(frontend.url);
  expect(response.status).toBe(200);
  const rows = (await response.text()).split('<tr').slice(1);
  const rowOf = (path: string) => rows.find((html) => html.includes(path));
  expect(rowOf('sample3.jpg')).toContain('Alice');
  expect(rowOf('sample2.jpg')).toMatch(/unknown/i);
  expect(rowOf('sample2.jpg')).not.toContain('Alice');
});

test('services end by themselves when they are asked to', async () => {
  for (const service of services.splice(0)) expect(await service.stop()).toBe(0);
});
