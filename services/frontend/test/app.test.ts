import { writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { join } from 'node:path';
import { silent } from '@kube-face/shared-lib/logger';
import { Registry } from '@kube-face/shared-lib/metrics';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tempFolder } from '../../../test/harness/temp-folder.ts';
import { createApp, type PageApp } from '../src/app.ts';
import { createLive } from '../src/live.ts';
import { createFrontendMetrics } from '../src/metrics.ts';
import type { PeopleStore } from '../src/people-store.ts';
import type { Photo } from '../src/photo.ts';
import { createPhotoFolder } from '../src/photo-folder.ts';
import type { PhotoStore } from '../src/photo-store.ts';
import { createPictures } from '../src/pictures.ts';
import { fakeFace, fakePhoto, matched } from './fakes.ts';

let root: string;
let server: Server;
let app: PageApp;
let url: string;
let table: Photo[];
let fault: Error | undefined;
const registry = new Registry();
const metrics = createFrontendMetrics(registry);

function fakePhotos(): PhotoStore {
  const answer = async <T>(value: T): Promise<T> => {
    if (fault) throw fault;
    return value;
  };
  const find = (id: number) => table.find((photo) => photo.id === id);
  return {
    list: () => answer({ photos: table }),
    detail: (id) => {
      const photo = find(id);
      return answer(photo && { photo, faces: [fakeFace()], attempts: [] });
    },
    pathOf: (id) => answer(find(id)?.path),
    faceOf: (id, face) => {
      const photo = find(id);
      return answer(photo && face === 70 ? { path: photo.path, box: fakeFace().box } : undefined);
    },
    byIds: (ids) => answer(table.filter(({ id }) => ids.includes(id))),
    newest: () => answer(table),
    justFinished: () => answer([]),
  };
}

const people: PeopleStore = {
  choices: async () => [],
  find: async () => undefined,
  card: async (id) =>
    id === 3 ? { person: { id, name: '<Hannibal>' }, knownIds: [9], knownCount: 1, appearances: 1_001 } : undefined,
  list: async () => ({ people: [] }),
  knownName: async (id) => (id === 9 ? 'hannibal.jpg' : undefined),
};

beforeEach(async () => {
  root = tempFolder('app');
  const photo = await sharp({ create: { width: 300, height: 200, channels: 3, background: '#456' } })
    .jpeg()
    .toBuffer();
  writeFileSync(join(root, 'a.jpg'), photo);
  writeFileSync(join(root, 'hannibal.jpg'), photo);
  table = [matched()];
  fault = undefined;
  const photos = fakePhotos();
  const counts = { latest: () => undefined, current: async () => undefined, close: () => {} };
  app = createApp({
    photos,
    people,
    counts,
    live: createLive({ photos, counts, log: silent }),
    pictures: createPictures({ cacheBytes: 1_000_000 }),
    unknownPeople: createPhotoFolder(root, '/unknown_people'),
    knownPeople: createPhotoFolder(root, '/known_people'),
    receiverUrl: ':8000',
    threshold: 0.535,
    metrics,
    log: silent,
  });
  server = createServer(app.handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  app.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test('a page loads from here alone, calls the receiver, and is never framed', async () => {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(response.headers.get('content-security-policy')).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' 127.0.0.1:8000; " +
      "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  );
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  expect(response.headers.get('x-powered-by')).toBeNull();
  const text = await response.text();
  expect(text).toContain('Hannibal');
  expect(text).not.toMatch(/\sstyle=|<style|\son\w+=|<script(?! type="module" src="\/assets\/)/);
  expect(text).not.toMatch(/(?:href|src)="(?:https?:)?\/\//);
});

test('every file that a page names is there, with its type, and may be kept as long as it does not change', async () => {
  const page = await (await fetch(`${url}/photos/7`)).text();
  const files = [...page.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, address]) => address);
  expect(files.length).toBeGreaterThan(3);
  for (const address of files) {
    const response = await fetch(url + address);
    expect([address, response.status]).toEqual([address, 200]);
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  }
  const other = await fetch(`${url}/assets/older/app.js`);
  expect([other.status, other.headers.get('cache-control'), other.headers.get('content-type')]).toEqual([
    200,
    'no-store',
    'text/javascript; charset=utf-8',
  ]);
});

test.each(['/assets/v/../src/main.ts', '/assets/v/tsconfig.json', '/assets/v/%2e%2e%2fpackage.json', '/assets/v/nothing.js'])(
  'no other file is: %s',
  async (address) => {
    expect((await fetch(url + address)).status).toBe(404);
  },
);

test('a picture comes with its type, and is not sent again where nothing changed', async () => {
  const response = await fetch(`${url}/pictures/7/thumb`);
  expect([response.status, response.headers.get('content-type'), response.headers.get('cache-control')]).toEqual([
    200,
    'image/webp',
    'private, no-cache',
  ]);
  const etag = response.headers.get('etag') ?? '';
  const again = await fetch(`${url}/pictures/7/thumb`, { headers: { 'if-none-match': etag } });
  expect([again.status, again.headers.get('etag'), (await again.arrayBuffer()).byteLength]).toEqual([304, etag, 0]);
  expect((await fetch(`${url}/pictures/7/faces/70`)).status).toBe(200);
  expect((await fetch(`${url}/known/9/thumb`)).status).toBe(200);
});

test.each([
  '/pictures/8/thumb',
  '/pictures/7/huge',
  '/pictures/a.jpg/thumb',
  '/pictures/7/faces/71',
  '/known/10/thumb',
  '/known/x/thumb',
])('there is no picture at %s', async (address) => {
  expect((await fetch(url + address)).status).toBe(404);
});

test('an erased photo vanishes, though its file and its picture were there', async () => {
  expect((await fetch(`${url}/pictures/7/thumb`)).status).toBe(200);
  table = [];
  expect((await fetch(`${url}/pictures/7/thumb`)).status).toBe(404);
  expect((await fetch(`${url}/photos/7`)).status).toBe(404);
});

test.each([
  ['/?status=done', 400],
  ['/?after=x', 400],
  ['/people?after=A', 400],
  ['/events?rows=x', 400],
  ['/photos/0', 404],
  ['/photos/99999999999999999999', 404],
  ['/nothing', 404],
  ['/%E0%A4%A', 404],
])('%s answers %d with a page that says what to do', async (address, status) => {
  const response = await fetch(url + address);
  expect(response.status).toBe(status);
  expect(await response.text()).toMatch(/<h1>[^<]+<\/h1>[\s\S]*Show all photos/);
});

test.each(['POST', 'PUT', 'DELETE'])('%s changes nothing here', async (method) => {
  const response = await fetch(`${url}/photos/7`, { method });
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

test('while the database is away, pages say so with 503 and load themselves again', async () => {
  fault = Object.assign(new Error('connect ECONNREFUSED 10.1.2.3:3306'), { code: 'ECONNREFUSED' });
  const response = await fetch(url);
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
  const text = await response.text();
  expect(text).toContain('<meta http-equiv="refresh" content="5">');
  expect(text).toContain('The database is away');
  expect(text).not.toContain('10.1.2.3');
  expect((await fetch(`${url}/pictures/7/thumb`)).status).toBe(503);
  expect((await fetch(`${url}/changes?rows=`)).status).toBe(503);
});

test('a fault of our own is 500, and tells nothing of itself', async () => {
  fault = new Error('secret detail');
  const response = await fetch(url);
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain('secret');
});

test('a page that follows hears of changes, and is let go at shutdown', async () => {
  const response = await fetch(`${url}/events?table&rows=`);
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  const reader = (response.body as ReadableStream<Uint8Array<ArrayBuffer>>).pipeThrough(new TextDecoderStream()).getReader();
  let heard = '';
  while (!heard.includes('event: changes')) heard += (await reader.read()).value;
  expect(heard).toMatch(/event: changes\ndata: \{"rows":\[\{"id":7,/);
  expect(await registry.getSingleMetricAsString('kube_face_viewers')).toMatch(/kube_face_viewers 1/);
  app.close();
  for (;;) if ((await reader.read()).done) break;
  await expect.poll(() => registry.getSingleMetricAsString('kube_face_viewers')).toMatch(/kube_face_viewers 0/);
});

test('a page that asks by itself is told the same', async () => {
  table = [matched(), fakePhoto({ id: 8 })];
  const answer = await (await fetch(`${url}/changes?table&rows=7.old,6.old`)).json();
  expect(answer).toMatchObject({ rows: [{ id: 7 }, { id: 8 }], gone: [6], summary: null });
});

test('a card is escaped, and its counts say where they stop', async () => {
  const card = await (await fetch(`${url}/people/3/card`)).text();
  expect(card).toContain('&lt;Hannibal&gt;');
  expect(card).toContain('on 1,000+ photos');
  expect((await fetch(`${url}/people/4/card`)).status).toBe(404);
});

test('requests are counted by route and code, never by address', async () => {
  await fetch(`${url}/photos/7`);
  await fetch(`${url}/photos/4711`);
  const text = await registry.metrics();
  expect(text).toMatch(/kube_face_http_request_duration_seconds_count\{[^}]*route="\/photos\/:id",code="200"\} [1-9]/);
  expect(text).toMatch(/route="\/photos\/:id",code="404"\} [1-9]/);
  expect(text).not.toContain('4711');
});

test('a request that is no HTTP is refused', async () => {
  const answer = await new Promise<string>((resolve) => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1', () => socket.end('nonsense\r\n\r\n'));
    let text = '';
    socket.on('data', (data) => {
      text += data.toString();
    });
    socket.on('close', () => resolve(text));
  });
  expect(answer).toMatch(/^HTTP\/1.1 400/);
});
