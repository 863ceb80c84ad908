import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { RowDataPacket } from '@kube-face/shared-lib/mysql';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createReceiverClient } from '../../scripts/demo/receiver-client.ts';
import { type BadPhoto, makeBadPhotos } from './bad-photos.ts';
import { MARK } from './hungry-photo.ts';
import { startWorld, TIMES, type World } from './world.ts';

const soon = { timeout: 60_000, interval: 50 };

let world: World;
let photos: BadPhoto[];

beforeAll(async () => {
  world = await startWorld();
  photos = await makeBadPhotos(world.unknownPeople, dirname(world.unknownPeople));
});

afterAll(() => world?.stop());

const post = (...paths: string[]) => createReceiverClient({ url: world.receiver.url }).post(paths);

const ROW = `
  select images.status, images.outcome, images.attempts, images.retry_at, person.name as person from images
  left join person on person.id = images.person where images.id = ?`;

async function rowOf(id: number | undefined): Promise<RowDataPacket | undefined> {
  const [row] = await world.database.query<RowDataPacket[]>(ROW, [id ?? 0]);
  return row;
}

test('every kind has its outcome at the first attempt, and the good ones between them theirs', async () => {
  const pid = world.recognition.pid();
  const posted: { name: string; id: number | undefined; outcome: string; person?: string }[] = [];
  for (const { name, path, outcome, person } of photos) {
    const good = await world.photos.next('between');
    const [bad, next] = await post(path, good.path);
    posted.push({ name, id: bad, outcome, ...(person !== undefined && { person }) });
    posted.push({
      name: good.path,
      id: next,
      outcome: good.expected.outcome,
      ...(good.expected.person && { person: good.expected.person }),
    });
  }

  await vi.waitFor(async () => {
    const rows = await world.database.query<RowDataPacket[]>('select id from images where status in (0, 3)');
    expect(rows).toEqual([]);
  }, soon);
  const found = await Promise.all(
    posted.map(async ({ name, id }) => {
      const row = await rowOf(id);
      return { name, id, outcome: row?.outcome, ...(row?.person && { person: row.person }) };
    }),
  );
  expect(found).toEqual(posted);
  const rows = await world.database.query<RowDataPacket[]>('select id from images where attempts <> 1');
  expect(rows).toEqual([]);
  expect(world.recognition.pid()).toBe(pid);
  expect(world.recognition.hasEnded()).toBe(false);
});

test('faces of turned photos lie where they are on the upright one', async () => {
  const boxes = await world.database.query<RowDataPacket[]>(
    "select box from faces join images on images.id = faces.image where images.path like 'exif-%' order by images.path",
  );
  const [upright, ...turned] = boxes.map(({ box }) => JSON.parse(box) as { x: number; y: number; width: number; height: number });

  expect(turned).toHaveLength(7);
  for (const box of turned) {
    for (const side of ['x', 'y', 'width', 'height'] as const)
      expect(Math.abs(box[side] - (upright?.[side] ?? 0))).toBeLessThan(12);
  }
});

test('a photo that is deleted, or replaced, between claim and read is what it is when it is read', async () => {
  const [deleted, replaced] = [await world.photos.next('deleted'), await world.photos.next('replaced')];
  await world.recognition.kill('SIGSTOP');
  const [deletedId, replacedId] = await post(deleted.path, replaced.path);
  await vi.waitFor(async () => {
    expect(await rowOf(deletedId)).toMatchObject({ status: 3 });
    expect(await rowOf(replacedId)).toMatchObject({ status: 3 });
  }, soon);
  rmSync(join(world.unknownPeople, deleted.path));
  rmSync(join(world.unknownPeople, replaced.path));
  copyFileSync(join(world.unknownPeople, 'text.jpg'), join(world.unknownPeople, replaced.path));
  await world.recognition.kill('SIGCONT');

  await vi.waitFor(async () => {
    expect(await rowOf(deletedId)).toMatchObject({ status: 2, outcome: 'missing_file', attempts: 1 });
    expect(await rowOf(replacedId)).toMatchObject({ status: 2, outcome: 'unreadable_image', attempts: 1 });
  }, soon);
});

test("a photo that takes its worker's memory fails alone, after its attempts", async () => {
  const pid = world.recognition.pid();
  const good = join(world.unknownPeople, (await world.photos.next('hungry')).path);
  writeFileSync(join(world.unknownPeople, 'hungry.jpg'), Buffer.concat([readFileSync(good), Buffer.from(MARK)]));
  const [hungry] = await post('hungry.jpg');
  const beside: (number | undefined)[] = [];
  await vi.waitFor(async () => {
    beside.push(...(await post((await world.photos.next('beside-hungry')).path)));
    const attempts = Number(TIMES.MAX_ATTEMPTS);
    expect(await rowOf(hungry)).toMatchObject({ status: 2, outcome: 'internal', attempts, retry_at: null });
  }, soon);

  for (const id of beside) {
    await vi.waitFor(async () => expect(await rowOf(id)).toMatchObject({ status: 1, attempts: 1 }), soon);
  }
  expect(world.recognition.pid()).toBe(pid);
  expect(world.recognition.output()).toContain('memory limit');
});
