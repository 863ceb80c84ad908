import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RowDataPacket } from '@kube-face/shared-lib/mysql';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { fakePhoto } from './fake-gallery.ts';
import { ask, photoForm, startWorld, type World } from './world.ts';

const JSON_PLEASE = { accept: 'application/json' };
let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  await world.queued();
});

let paths = 0;
const newPath = () => `photo-${++paths}.jpg`;
const rowsOf = (sql: string, values: string[] = []) => world.database.query<RowDataPacket[]>(sql, values);

async function rowOf(path: string): Promise<RowDataPacket | undefined> {
  const [row] = await rowsOf('select * from images where path = ?', [path]);
  return row;
}

test("answers the article's commands with the original's lines", async () => {
  const single = await world.ask('POST', '/image/post', '{"path":"/unknown_people/a.jpg"}', {
    'content-type': 'application/x-www-form-urlencoded',
  });
  const row = await rowOf('/unknown_people/a.jpg');
  expect(single).toMatchObject({
    status: 200,
    text: `got path: {Path:/unknown_people/a.jpg}\nimage saved with id: ${row?.id}\nimage sent to nsq\n`,
  });
  expect(row).toMatchObject({ status: 0, person: -1, outcome: null });

  const batch = await world.ask('POST', '/images/post', { paths: [{ path: 'b.jpg' }, { path: 'c.jpg' }] });
  const ids = (await rowsOf("select id from images where path in ('b.jpg', 'c.jpg') order by id")).map(({ id }) => id);
  expect(batch.text).toBe(
    `got paths: {Paths:[{Path:b.jpg} {Path:c.jpg}]}\nimage saved with id: ${ids[0]}\nimage sent to nsq\n` +
      `image saved with id: ${ids[1]}\nimage sent to nsq\n`,
  );
  expect((await world.queued()).toSorted((a, b) => a - b)).toEqual([row?.id, ...ids]);
});

test('marks what nsqd has acknowledged', async () => {
  const path = newPath();
  await world.ask('POST', '/image/post', { path });
  await vi.waitFor(async () => expect((await rowOf(path))?.queued_at).toBeInstanceOf(Date), { timeout: 5_000 });
  expect((await rowOf(path))?.queued_on).toMatch(new RegExp(`:${world.nsq.ports.nsqdTcp}$`));
});

test('answers in JSON where it is asked for by name', async () => {
  const path = newPath();
  const { status, json } = await world.ask('POST', '/image/post', { path }, JSON_PLEASE);
  expect(status).toBe(200);
  expect(json).toEqual({ images: [{ id: (await rowOf(path))?.id, path, status: 'pending', queued: true }] });
});

test('paths are told apart by their bytes', async () => {
  const twins = ['twin.jpg', 'Twin.jpg', 'twin.jpg ', 'twín.jpg', 'twi\u0301n.jpg'].map((path) => ({ path }));
  const { status, json } = await world.ask('POST', '/images/post', { paths: twins }, JSON_PLEASE);
  expect(status).toBe(200);
  expect(new Set(json.images.map(({ id }) => id)).size).toBe(5);
});

test('some taken, some not: 207, in order, and one bad path does not stop the others', async () => {
  const [old, fresh, last] = [newPath(), newPath(), newPath()];
  const before = await world.ask('POST', '/image/post', { path: old }, JSON_PLEASE);
  await world.queued();
  const entries = [{ path: fresh }, { path: old }, { path: '' }, { path: fresh }, { path: 'x'.repeat(256) }, 7, { path: last }];
  const { status, json } = await world.ask('POST', '/images/post', { paths: entries }, JSON_PLEASE);
  expect(status).toBe(207);
  expect(json.images).toMatchObject([
    { id: expect.any(Number), path: fresh, queued: true },
    { id: before.json.images[0]?.id, path: old, error: { code: 'already_posted' } },
    { path: '', error: { code: 'invalid_path' } },
    { path: fresh, error: { code: 'repeated_in_request' } },
    { error: { code: 'invalid_path', message: expect.stringContaining('255 bytes') } },
    { error: { code: 'invalid_path' } },
    { id: expect.any(Number), path: last, queued: true },
  ]);
  expect(await world.queued()).toHaveLength(2);
});

test('bytes that are not UTF-8 spoil their own path alone', async () => {
  const path = newPath();
  const body = Buffer.from(`{"paths":[{"path":"${path}"},{"path":"bad-\xff.jpg"}]}`, 'latin1');
  const { status, json } = await world.ask('POST', '/images/post', body, JSON_PLEASE);
  expect(status).toBe(207);
  expect(json.images).toMatchObject([{ path, queued: true }, { error: { message: 'path must be UTF-8' } }]);
});

test.each([
  ['text', {}],
  ['JSON', JSON_PLEASE],
])('posted before: 409 with the id, in %s', async (_, headers) => {
  const path = newPath();
  await world.ask('POST', '/image/post', { path });
  const { status, text } = await world.ask('POST', '/image/post', { path }, headers);
  expect(status).toBe(409);
  expect(text).toContain(String((await rowOf(path))?.id));
});

test.each([
  ['no JSON', '/image/post', '{bad', 'not JSON'],
  ['nothing', '/image/post', '', 'empty'],
  ['no path', '/image/post', '{}', 'path'],
  ['a path that is no text', '/image/post', '{"path":5}', 'path'],
  ['a list', '/image/post', '[]', 'object'],
  ['no paths', '/images/post', '{}', 'paths'],
  ['an empty list', '/images/post', '{"paths":[]}', 'paths'],
  ['only bad paths', '/images/post', '{"paths":[{"path":""}]}', 'empty'],
])('refuses %s with 400 and says why, in text and in JSON', async (_, path, body, word) => {
  const text = await world.ask('POST', path, body);
  expect(text.status).toBe(400);
  expect(text.text).toContain(word);
  expect(text.text).toMatch(/^got .*\n$/s);
  const json = await world.ask('POST', path, body, JSON_PLEASE);
  expect(json.status).toBe(400);
  expect(json.json.error.message + JSON.stringify(json.json.error.details)).toContain(word);
});

test('refuses a body above 16 MB with 413, and reads one below', async () => {
  const paths = [{ path: newPath() }];
  const big = (bytes: number) => JSON.stringify({ paths, filler: 'x'.repeat(bytes) });
  expect((await world.ask('POST', '/images/post', big(15_000_000))).status).toBe(200);
  expect((await world.ask('POST', '/images/post', big(17_000_000), JSON_PLEASE)).json.error.code).toBe('too_large');
});

test('takes 10,000 paths in one post, and not one more', async () => {
  const paths = Array.from({ length: 10_001 }, () => ({ path: newPath() }));
  expect((await world.ask('POST', '/images/post', { paths })).status).toBe(400);
  const { status, json } = await world.ask('POST', '/images/post', { paths: paths.slice(1) }, JSON_PLEASE);
  expect(status).toBe(200);
  const [count] = await rowsOf('select count(*) as n from images where path between ? and ? and id between ? and ?', [
    '',
    '~',
    String(json.images[0]?.id),
    String(json.images[9_999]?.id),
  ]);
  expect(count?.n).toBe(10_000);
  expect((await rowOf(json.images[4_711]?.path ?? ''))?.id).toBe(json.images[4_711]?.id);
  expect(await world.queued()).toHaveLength(10_000);
});

test('concurrent posts of one path make one row', async () => {
  const path = newPath();
  const answers = await Promise.all(Array.from({ length: 20 }, () => world.ask('POST', '/image/post', { path })));
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, ...Array(19).fill(409)]);
  expect(await world.queued()).toHaveLength(1);
});

test('saved but not queued where nsqd is away', async () => {
  const path = newPath();
  const lonely = await world.another({ producerAddress: { host: '127.0.0.1', port: 1 } });
  try {
    const json = await ask(`${lonely.url}/image/post`, 'POST', { path }, JSON_PLEASE);
    expect(json).toMatchObject({ status: 200, json: { images: [{ path, queued: false }] } });
    const text = await ask(`${lonely.url}/image/post`, 'POST', { path: newPath() });
    expect(text.text).toMatch(/^got path: .*\nimage saved with id: \d+\nerror while sending image to queue: .*\n$/);
    expect(await rowOf(path)).toMatchObject({ status: 0, queued_at: null });
  } finally {
    await lonely.close();
  }
});

test('503 with Retry-After where MySQL is away, and nothing is saved', async () => {
  const path = newPath();
  const { targetPort } = world.wayToMysql;
  world.wayToMysql.targetPort = 1;
  world.wayToMysql.cut();
  try {
    for (const headers of [{}, JSON_PLEASE]) {
      const answer = await world.ask('POST', '/image/post', { path }, headers);
      expect(answer.status).toBe(503);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    const upload = await world.ask('POST', '/image/upload', photoForm([fakePhoto([{ looks: 1 }], 503)]));
    expect(upload.status).toBe(503);
  } finally {
    world.wayToMysql.targetPort = targetPort;
  }
  expect(await rowOf(path)).toBeUndefined();
  expect(await readdir(world.unknownPeople)).toEqual([]);
  expect((await world.ask('POST', '/image/post', { path })).status).toBe(200);
});

test('a request sent again with its Idempotency-Key is answered as before', async () => {
  const key = { ...JSON_PLEASE, 'idempotency-key': `key-${newPath()}` };
  const path = newPath();
  const first = await world.ask('POST', '/image/post', { path }, key);
  const second = await world.ask('POST', '/image/post', { path }, key);
  expect(second).toMatchObject({ status: 200, json: first.json });
  expect(second.headers.get('idempotency-replayed')).toBe('true');
  expect(await world.queued()).toHaveLength(1);
  const other = await world.ask('POST', '/image/post', { path: newPath() }, key);
  expect(other).toMatchObject({ status: 409, json: { error: { code: 'idempotency_key_reused' } } });
});

test('work that was cut short before its answer was remembered is finished by the same key', async () => {
  const key = { ...JSON_PLEASE, 'idempotency-key': `key-${newPath()}` };
  const path = newPath();
  const first = await world.ask('POST', '/image/post', { path }, key);
  await world.database.query('update idempotency_keys set status = null, body = null');
  expect((await world.ask('POST', '/image/post', { path }, key)).status).toBe(409);
  await world.database.query('update idempotency_keys set created_at = current_timestamp(3) - interval 2 minute');
  expect(await world.ask('POST', '/image/post', { path }, key)).toMatchObject({ status: 200, json: first.json });
});

test('stores an upload and posts it', async () => {
  const photo = fakePhoto([{ looks: 1 }], 1);
  const { status, json } = await world.ask('POST', '/image/upload', photoForm([photo]));
  expect(status).toBe(200);
  const [image] = json.images;
  expect(image).toEqual({
    id: expect.any(Number),
    path: expect.stringMatching(/^\/unknown_people\/[\w-]+\.jpg$/),
    status: 'pending',
    queued: true,
  });
  expect(await readFile(join(world.unknownPeople, image?.path.split('/').at(-1) ?? ''))).toEqual(photo);
  expect(await world.queued()).toEqual([image?.id]);
});

test('the same bytes again are answered with the first entry, whoever comes when', async () => {
  const form = () => photoForm([fakePhoto([{ looks: 1 }], 2)]);
  const both = await Promise.all([world.ask('POST', '/image/upload', form()), world.ask('POST', '/image/upload', form())]);
  const entries = both.map(({ json }) => json.images[0]);
  expect(both.map(({ status }) => status)).toEqual([200, 200]);
  expect(entries[0]?.id).toBe(entries[1]?.id);
  expect(entries.filter((entry) => entry?.duplicate)).toHaveLength(1);
  const again = await world.ask('POST', '/image/upload', form());
  expect(again).toMatchObject({
    status: 200,
    json: { images: [{ id: entries[0]?.id, path: entries[0]?.path, duplicate: true }] },
  });
  // A processor may have the photo before it is written down that it was queued.
  await world.database.query('update images set status = 3, queued_at = null where id = ?', [entries[0]?.id ?? 0]);
  expect((await world.ask('POST', '/image/upload', form())).json.images).toMatchObject([{ status: 'processing', queued: true }]);
  expect((await readdir(world.unknownPeople)).filter((name) => entries[0]?.path.endsWith(name))).toHaveLength(1);
  expect(await readdir(world.unknownPeople)).toHaveLength(2); // this one and the test's before
});

test('some uploads taken: 207; none: 400, or 413 where they are too large', async () => {
  const text = Buffer.from('hello');
  const large = Buffer.concat([fakePhoto([], 3), Buffer.alloc(20 * 1024 * 1024)]);
  expect(await world.ask('POST', '/image/upload', photoForm([text, fakePhoto([], 4)]))).toMatchObject({
    status: 207,
    json: { images: [{ error: { code: 'unreadable_image' } }, { queued: true }] },
  });
  expect((await world.ask('POST', '/image/upload', photoForm([text]))).status).toBe(400);
  expect((await world.ask('POST', '/image/upload', photoForm([large]))).status).toBe(413);
  expect((await world.ask('POST', '/image/upload', photoForm([]))).status).toBe(400);
});

test('503 where the folder cannot be written', async () => {
  const homeless = await world.another({ unknownPeople: '/nowhere', knownPeople: '/nowhere' });
  try {
    const upload = await ask(`${homeless.url}/image/upload`, 'POST', photoForm([fakePhoto([], 5)]));
    expect(upload).toMatchObject({ status: 503, json: { error: { code: 'storage_away' } } });
    expect((await ask(`${homeless.url}/people`, 'POST', photoForm([fakePhoto([], 6)], 'Ada'))).status).toBe(503);
  } finally {
    await homeless.close();
  }
});
