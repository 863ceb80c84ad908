import type { RowDataPacket } from '@kube-face/shared-lib/mysql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createReceiverClient } from '../scripts/demo/receiver-client.ts';
import { copySample, photosOf } from '../scripts/demo/sample-files.ts';
import { type System, startSystem } from './harness/system.ts';

const RECOGNISED = { timeout: 30_000, interval: 50 };

let system: System;

beforeAll(async () => {
  system = await startSystem('all');
});

afterAll(() => system.stop());

/** As `curl -d` sends it. */
async function curl(path: string, body: string): Promise<string> {
  const headers = { accept: '*/*', 'content-type': 'application/x-www-form-urlencoded' };
  const response = await fetch(`${system.service('receiver').url}${path}`, { method: 'POST', headers, body });
  expect(response.status).toBe(200);
  return response.text();
}

const ROW = `
  select images.status, images.outcome, person.name as name from images
  left join person on person.id = images.person where images.path = ?`;

async function row(path: string): Promise<{ status: number; outcome: string | null; name: string | null } | undefined> {
  const [found] = await system.database.query<RowDataPacket[]>(ROW, [path]);
  return found as { status: number; outcome: string | null; name: string | null } | undefined;
}

test('a photo of somebody who was enrolled gets the name, by the first command of the article', async () => {
  await createReceiverClient({ url: system.service('receiver').url }).enrol('Alice', await photosOf('Alice'));
  await copySample('sample3.jpg', system.unknownPeople); // another photo of Alice than the one she was enrolled from

  const answer = await curl('/image/post', '{"path":"/unknown_people/sample3.jpg"}');

  expect(answer).toMatch(/^got path: \{Path:\/unknown_people\/sample3\.jpg\}\nimage saved with id: \d+\nimage sent to nsq\n$/);
  await expect.poll(() => row('/unknown_people/sample3.jpg'), RECOGNISED).toEqual({ status: 1, outcome: 'match', name: 'Alice' });
});

test('several photos are posted by the second command, and strangers stay unknown', async () => {
  for (const photo of ['sample1.jpg', 'sample2.jpg', 'sample5.jpg']) await copySample(photo, system.unknownPeople);

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
  const response = await fetch(system.url);
  expect(response.status).toBe(200);
  const rows = (await response.text()).split('<tr').slice(1);
  const rowOf = (path: string) => rows.find((html) => html.includes(path));
  expect(rowOf('sample3.jpg')).toContain('Alice');
  expect(rowOf('sample2.jpg')).toMatch(/unknown/i);
  expect(rowOf('sample2.jpg')).not.toContain('Alice');
});

test('services end by themselves when they are asked to', async () => {
  for (const service of system.services.toReversed()) expect(await service.stop()).toBe(0);
});
