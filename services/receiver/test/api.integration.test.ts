import { readdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import type { ResultSetHeader, RowDataPacket } from '@kube-face/shared-lib/mysql';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { fakePhoto } from './fake-gallery.ts';
import { ask, photoForm, startWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  for (const table of ['person', 'images', 'faces', 'attempts']) await world.database.query(`delete from ${table}`);
});

type Row = { status?: number; outcome?: string | null; person?: number };
async function insert({ status = 0, outcome = null, person = -1 }: Row = {}): Promise<number> {
  const sql = 'insert into images (path, status, outcome, person) values (uuid(), ?, ?, ?)';
  return (await world.database.query<ResultSetHeader>(sql, [status, outcome, person])).insertId;
}
async function insertPerson(name: string): Promise<number> {
  return (await world.database.query<ResultSetHeader>('insert into person (name) values (?)', [name])).insertId;
}
const rowOf = async (id: number) => (await world.database.query<RowDataPacket[]>('select * from images where id = ?', [id]))[0];

test('shows a photo with its faces, people, candidates and earlier attempts', async () => {
  const [hannibal, john] = [await insertPerson('Hannibal'), await insertPerson('John')];
  const id = await insert({ status: 1, outcome: 'match', person: hannibal });
  const candidates = [
    { person: hannibal, imageName: 'hannibal_2.jpg', distance: 0.41 },
    { person: 999_999, imageName: 'erased_1.jpg', distance: 0.5 },
    { person: john, imageName: 'john_1.jpg', distance: 0.7 },
  ];
  await world.database.query(
    'insert into faces (image, position, box, score, person, image_name, distance, candidates) values (?, 0, ?, 0.98, ?, ?, 0.41, ?)',
    [id, '{"x":10,"y":20,"width":80,"height":80}', hannibal, 'hannibal_2.jpg', JSON.stringify(candidates)],
  );
  await world.database.query(
    "insert into attempts (image, owner, started_at, outcome, detail) values (?, 'x', now(3), 'timeout', 'slow')",
    [id],
  );
  const { status, json } = await world.ask('GET', `/images/${id}`);
  const row = await rowOf(id);
  expect(status).toBe(200);
  expect(json).toEqual({
    id,
    path: row?.path,
    status: 'processed',
    outcome: 'match',
    detail: null,
    person: { id: hannibal, name: 'Hannibal' },
    faces: [
      {
        id: expect.any(Number),
        box: { x: 10, y: 20, width: 80, height: 80 },
        score: 0.98,
        person: { id: hannibal, name: 'Hannibal' },
        imageName: 'hannibal_2.jpg',
        distance: 0.41,
        candidates: [
          { person: { id: hannibal, name: 'Hannibal' }, imageName: 'hannibal_2.jpg', distance: 0.41 },
          { person: { id: john, name: 'John' }, imageName: 'john_1.jpg', distance: 0.7 },
        ],
        corrected: false,
      },
    ],
    attempts: 0,
    createdAt: row?.created_at.toISOString(),
    updatedAt: row?.updated_at.toISOString(),
    finishedAt: null,
    history: [{ startedAt: expect.any(String), finishedAt: expect.any(String), outcome: 'timeout', detail: 'slow' }],
  });
});

test.each([
  ['a pending one', { status: 0 }, { status: 'pending', outcome: null }],
  ['one that is being processed', { status: 3 }, { status: 'processing', outcome: null }],
  ["a nobody of the original's", { status: 1 }, { status: 'processed', outcome: 'unknown' }],
  ["the original's failure", { status: 2 }, { status: 'failed', outcome: 'internal' }],
])('shows %s', async (_, row, expected) => {
  const id = await insert(row);
  expect((await world.ask('GET', `/images/${id}`)).json).toMatchObject({ id, ...expected, person: null, faces: [] });
});

test('says that a photo waits for recognition while that is not ready', async () => {
  const [waiting, done] = [await insert({ status: 0 }), await insert({ status: 1, outcome: 'no_face' })];
  const detailOf = async (id: number) => (await world.ask('GET', `/images/${id}`)).json.detail;
  await vi.waitFor(async () => expect(await detailOf(waiting)).toBeNull(), { timeout: 5_000 });
  world.gallery.isReady = false;
  await vi.waitFor(async () => expect(await detailOf(waiting)).toBe('waiting for recognition'), { timeout: 5_000 });
  expect(await detailOf(done)).toBeNull();
  world.gallery.isReady = true;
});

test('pages photos newest first, by every filter', async () => {
  const person = await insertPerson('Ada');
  const ids: number[] = [];
  for (const row of [
    { status: 0 },
    { status: 1, outcome: 'match', person },
    { status: 1, person }, // the original's
    { status: 1, outcome: 'unknown' },
    { status: 2, outcome: 'timeout' },
    { status: 2 }, // the original's
  ]) {
    ids.push(await insert(row));
  }
  const page = async (query: string) => (await world.ask('GET', `/images?${query}`)).json;
  const found = async (query: string) => (await page(query)).images.map(({ id }) => ids.indexOf(id));
  expect(await found('')).toEqual([5, 4, 3, 2, 1, 0]);
  expect(await found('status=processed')).toEqual([3, 2, 1]);
  expect(await found('outcome=match')).toEqual([2, 1]);
  expect(await found('outcome=unknown')).toEqual([3]);
  expect(await found('outcome=internal')).toEqual([5]);
  expect(await found(`person=${person}`)).toEqual([2, 1]);
  expect(await found(`person=${person}&status=failed`)).toEqual([]);
  expect(await found(`after=${ids[4]}&limit=2`)).toEqual([3, 2]);
  expect(await found('after=0')).toHaveLength(6);

  const seen: number[] = [];
  for (let next: number | null = 0; next !== null; ) {
    const { images, next: following } = await page(`outcome=match&limit=1&after=${next}`);
    seen.push(...images.map(({ id }) => ids.indexOf(id)));
    next = following;
  }
  expect(seen).toEqual([2, 1]);
});

test.each([
  'status=done',
  'outcome=nice',
  'person=x',
  'after=-1',
  'limit=0',
  'limit=501',
  'limit=',
  'status=failed&status=pending',
])('refuses the filter %s', async (query) => {
  expect((await world.ask('GET', `/images?${query}`)).status).toBe(400);
});

test.each([
  ['GET', '/images/999999', 404],
  ['DELETE', '/images/999999', 404],
  ['GET', '/people/999999', 404],
  ['GET', '/redecisions/999999', 404],
  ['GET', '/erasures/999999', 404],
  ['GET', '/images/x', 400],
  ['GET', '/images/0', 400],
  ['GET', '/images/99999999999999999999', 400],
  ['GET', '/images/%zz', 400],
  ['GET', '/nothing', 404],
  ['GET', '/image/post', 405],
  ['PUT', '/images/1', 405],
  ['POST', '/stats', 405],
])('%s %s is answered with %i, as JSON', async (method, path, status) => {
  const answer = await world.ask(method, path);
  expect(answer.status).toBe(status);
  expect(answer.json.error).toEqual({ code: expect.any(String), message: expect.any(String), details: expect.any(Array) });
  if (status === 405) expect(answer.headers.get('allow')).toMatch(/GET|POST/);
});

test('erases a photo with faces and attempts, and its file only where it was uploaded', async () => {
  const upload = await world.ask('POST', '/image/upload', photoForm([fakePhoto([], 77)]));
  const uploaded = upload.json.images[0]?.id ?? 0;
  const posted = await insert();
  await world.database.query("insert into faces (image, position, box, score) values (?, 0, '{}', 1)", [uploaded]);
  await world.database.query("insert into attempts (image, owner, started_at, outcome) values (?, 'x', now(3), 'timeout')", [
    uploaded,
  ]);
  await writeFile(join(world.unknownPeople, (await rowOf(posted))?.path), 'a photo of somebody else');
  const files = (await readdir(world.unknownPeople)).length;
  expect(await world.ask('DELETE', `/images/${posted}`)).toMatchObject({ status: 200, json: { id: posted, erased: true } });
  expect(await readdir(world.unknownPeople)).toHaveLength(files);
  expect((await world.ask('DELETE', `/images/${uploaded}`)).status).toBe(200);
  expect(await readdir(world.unknownPeople)).toHaveLength(files - 1);
  expect((await world.ask('GET', `/images/${uploaded}`)).status).toBe(404);
  for (const table of ['faces', 'attempts'])
    expect(await world.database.query<RowDataPacket[]>(`select * from ${table}`)).toEqual([]);
});

test('puts photos back by their ids, each with its own outcome', async () => {
  const [failed, processed, pending] = [
    await insert({ status: 2, outcome: 'timeout' }),
    await insert({ status: 1 }),
    await insert(),
  ];
  await world.database.query("update images set attempts = 5, retry_at = now(3), detail = 'slow' where id = ?", [failed]);
  await world.queued();
  const { status, json } = await world.ask('POST', '/images/retry', { ids: [failed, 999_999, pending, processed, failed] });
  expect(status).toBe(207);
  expect(json).toEqual({
    retried: 2,
    queued: 2,
    images: [
      { id: failed, status: 'pending', queued: true },
      { id: 999_999, error: { code: 'not_found', message: expect.any(String) } },
      { id: pending, status: 'pending', error: { code: 'not_finished', message: expect.any(String) } },
      { id: processed, status: 'pending', queued: true },
      { id: failed, status: 'pending', queued: true },
    ],
  });
  expect(await rowOf(failed)).toMatchObject({ status: 0, outcome: null, detail: null, attempts: 0, retry_at: null });
  expect((await world.queued()).toSorted((a, b) => a - b)).toEqual([failed, processed]);
  expect((await world.ask('POST', '/images/retry', { ids: [999_999] })).status).toBe(404);
  expect((await world.ask('POST', '/images/retry', { ids: [pending] })).status).toBe(409);
});

test('puts failed photos back by their reason, in batches', async () => {
  await world.database.query(
    `insert into images (path, status, outcome) values ${Array(2_500).fill("(uuid(), 2, 'timeout')").join()}, (uuid(), 2, 'missing_file'), (uuid(), 2, null)`,
  );
  await world.queued();
  expect((await world.ask('POST', '/images/retry', { status: 'failed', outcome: 'timeout' })).json).toEqual({
    retried: 2_500,
    queued: 2_500,
  });
  expect(new Set(await world.queued()).size).toBe(2_500);
  expect((await world.ask('POST', '/images/retry', { status: 'failed', outcome: 'internal' })).json).toEqual({
    retried: 1,
    queued: 1,
  });
  expect((await world.ask('POST', '/images/retry', { status: 'failed' })).json).toEqual({ retried: 1, queued: 1 });
  const left = await world.database.query<RowDataPacket[]>('select distinct status from images');
  expect(left).toEqual([{ status: 0 }]);
});

test.each([{}, { ids: [] }, { ids: ['x'] }, { ids: [0] }, { status: 'pending' }, { status: 'failed', outcome: 'nice' }, []])(
  'refuses to retry %j',
  async (body) => {
    const { status, json } = await world.ask('POST', '/images/retry', body);
    expect(status).toBe(400);
    expect(json.error.details).not.toEqual([]);
  },
);

test('counts by status and outcome', async () => {
  await insertPerson('Ada');
  for (const row of [
    { status: 0 },
    { status: 1, outcome: 'match' },
    { status: 1 },
    { status: 2, outcome: 'timeout' },
    { status: 2 },
  ])
    await insert(row);
  await world.database.query('update images set finished_at = now(3) where status = 1');
  const other = await world.another({}); // whose counts are not kept from a test before
  const { json } = await ask(`${other.url}/stats`, 'GET');
  await other.close();
  expect(json).toMatchObject({
    images: { pending: 1, processing: 0, processed: 2, failed: 2 },
    outcomes: { match: 1, unknown: 1, no_face: 0, timeout: 1, internal: 1 },
    people: 1,
    queue: { depth: expect.any(Number), inFlight: expect.any(Number), deferred: expect.any(Number) },
    rates: { finishedLastMinute: 2, finishedLast5Minutes: 2, finishedLast15Minutes: 2 },
  });
});

test('answers browsers of the allowed origins, and lets others change nothing', async () => {
  const { hostname } = new URL(world.url);
  const ours = `http://${hostname}:8081`;
  const preflight = await world.ask('OPTIONS', '/people', undefined, { origin: ours, 'access-control-request-method': 'POST' });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-origin')).toBe(ours);
  expect(preflight.headers.get('access-control-allow-methods')).toContain('PATCH');
  const read = await world.ask('GET', '/people', undefined, { origin: ours });
  expect(read.headers.get('access-control-allow-origin')).toBe(ours);
  expect(read.headers.get('vary')).toBe('origin');

  const evil = { origin: 'http://evil.example' };
  expect((await world.ask('GET', '/people', undefined, evil)).headers.get('access-control-allow-origin')).toBeNull();
  expect((await world.ask('OPTIONS', '/people', undefined, { ...evil, 'access-control-request-method': 'POST' })).status).toBe(
    403,
  );
  for (const [method, path] of [
    ['POST', '/image/post'],
    ['POST', '/people'],
    ['DELETE', '/people/1'],
    ['PATCH', '/people/1'],
  ] as const) {
    expect((await world.ask(method, path, { path: 'evil.jpg' }, evil)).status).toBe(403);
  }
  expect(await world.database.query<RowDataPacket[]>("select * from images where path = 'evil.jpg'")).toEqual([]);
});

test('with a token set, nothing is answered without it', async () => {
  const guarded = await world.another({ apiToken: 'hush' });
  try {
    for (const path of ['/images', '/people', '/stats', '/openapi.json', '/docs', '/nothing']) {
      const answer = await ask(`${guarded.url}${path}`, 'GET');
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
    expect((await ask(`${guarded.url}/image/post`, 'POST', { path: 'token.jpg' })).status).toBe(401);
    expect((await ask(`${guarded.url}/people`, 'GET', undefined, { authorization: 'Bearer hush' })).status).toBe(200);
  } finally {
    await guarded.close();
  }
  expect(await world.database.query<RowDataPacket[]>("select * from images where path = 'token.jpg'")).toEqual([]);
});

test('more requests than are allowed are answered with 429 and Retry-After', async () => {
  const limited = await world.another({ maxRequestsPerSecond: 2 });
  const answers = await Promise.all(Array.from({ length: 10 }, () => ask(`${limited.url}/people`, 'GET')));
  await limited.close();
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThanOrEqual(7);
  expect(refused[0]?.headers.get('retry-after')).toBe('1');
});

test('tells nobody what it is made of, and lets nothing be framed', async () => {
  const { headers } = await world.ask('GET', '/people');
  expect(headers.get('x-powered-by')).toBeNull();
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
});

test('a running request is answered while the receiver closes, and nobody new is taken', async () => {
  const closing = await world.another({});
  const outgoing = request(`${closing.url}/image/post`, {
    method: 'POST',
    headers: { 'content-length': 20, accept: 'application/json' },
  });
  const answered = new Promise<{ status: number | undefined; connection: string | undefined }>((resolve, reject) => {
    outgoing.on('response', (response) => {
      response.resume();
      resolve({ status: response.statusCode, connection: response.headers.connection });
    });
    outgoing.on('error', reject);
  });
  outgoing.write('{"path":"clos'); // so that it has begun
  await vi.waitFor(async () => expect((await ask(`${closing.url}/people`, 'GET')).status).toBe(200));
  const closed = closing.close();
  await vi.waitFor(() => expect(ask(`${closing.url}/people`, 'GET')).rejects.toThrow());
  outgoing.end('e.j"}  ');
  expect(await answered).toEqual({ status: 200, connection: 'close' });
  expect(await closed).toBe(true);
  const [row] = await world.database.query<RowDataPacket[]>("select queued_at from images where path = 'close.j'");
  expect(row?.queued_at).toBeInstanceOf(Date);
});

test('describes every route, and the page shows them', async () => {
  const { json } = await world.ask('GET', '/openapi.json');
  expect(
    Object.entries(json.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`)),
  ).toEqual([
    'post /image/post',
    'post /images/post',
    'post /image/upload',
    'get /images/{id}',
    'delete /images/{id}',
    'get /images',
    'post /images/retry',
    'post /images/{id}/faces/{face}/person',
    'post /people',
    'get /people',
    'get /people/{id}',
    'patch /people/{id}',
    'delete /people/{id}',
    'get /erasures/{id}',
    'post /redecisions',
    'get /redecisions/{id}',
    'get /stats',
    'get /openapi.json',
    'get /docs',
  ]);
  const docs = await world.ask('GET', '/docs');
  expect(docs.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(docs.text).toContain('/images/{id}/faces/{face}/person');
});
