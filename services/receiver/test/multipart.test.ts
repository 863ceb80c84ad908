import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { tempFolder } from '../../../test/harness/temp-folder.ts';
import { type Form, receiveForm } from '../src/multipart.ts';
import { MAX_PHOTO_BYTES } from '../src/temporary-photos.ts';

const JPEG = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(5_000, 7)]);
const PNG = Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), Buffer.alloc(100)]);
const WEBP = Buffer.concat([Buffer.from('RIFF\0\0\0\0WEBP'), Buffer.alloc(100)]);

let folder: string;
let server: Server;
let url: string;
let received: Promise<Form>;

beforeEach(async () => {
  folder = tempFolder('form');
  server = createServer((request, response) => {
    received = receiveForm(request, folder);
    received.then(
      () => response.end('ok'),
      (error) => response.writeHead(error.status ?? 500).end(error.message),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
});

function form(...parts: [field: string, value: string | Buffer<ArrayBuffer>, fileName?: string][]): FormData {
  const data = new FormData();
  for (const [field, value, fileName] of parts) {
    if (typeof value === 'string') data.append(field, value);
    else data.append(field, new Blob([value]), fileName);
  }
  return data;
}

const post = (body: FormData) => fetch(url, { method: 'POST', body });

test('stores photos by what their bytes are, and keeps the fields', async () => {
  await post(form(['name', 'Zoë'], ['image', JPEG, 'a.png'], ['image', PNG, 'b'], ['image', WEBP, 'c.webp']));
  const { fields, photos, discard } = await received;
  expect([...fields]).toEqual([['name', ['Zoë']]]);
  expect(photos).toMatchObject([
    { fileName: 'a.png', kind: 'jpg', bytes: JPEG.length, sha256: createHash('sha256').update(JPEG).digest() },
    { fileName: 'b', kind: 'png', bytes: PNG.length },
    { fileName: 'c.webp', kind: 'webp', bytes: WEBP.length },
  ]);
  expect(await readFile(photos[0]?.file ?? '')).toEqual(JPEG);
  expect((await readdir(folder)).every((name) => name.startsWith('.upload-'))).toBe(true);
  await discard();
  expect(await readdir(folder)).toEqual([]);
});

test('refuses what is no photo and goes on with the next', async () => {
  await post(form(['image', Buffer.from('hello'), 'a.jpg'], ['image', Buffer.alloc(0), 'b.jpg'], ['image', JPEG, 'c.jpg']));
  const { photos } = await received;
  expect(photos).toMatchObject([
    { error: { code: 'unreadable_image', message: 'not a JPEG, PNG or WebP photo: 5 bytes that begin otherwise' } },
    { error: { code: 'unreadable_image', message: 'not a JPEG, PNG or WebP photo: it is empty' } },
    { kind: 'jpg' },
  ]);
  expect(await readdir(folder)).toHaveLength(1);
});

test('takes a photo of 20 MB, refuses one of a byte more, and keeps nothing of it', async () => {
  const whole = Buffer.concat([JPEG, Buffer.alloc(MAX_PHOTO_BYTES - JPEG.length)]);
  await post(form(['image', Buffer.concat([whole, Buffer.alloc(1)]), 'a.jpg'], ['image', whole, 'b.jpg']));
  const { photos } = await received;
  expect(photos).toMatchObject([{ error: { code: 'too_large' } }, { bytes: MAX_PHOTO_BYTES }]);
  expect(await readdir(folder)).toHaveLength(1);
});

test.each([
  ['another field', form(['picture', JPEG, 'a.jpg']), 'field "image"'],
  ['more than 100 photos', form(...Array(101).fill(['image', PNG, 'a.png'])), '100 photos'],
  ['a field that is too long', form(['name', 'x'.repeat(70_000)]), 'too long'],
])('refuses %s, and keeps nothing', async (_, body, message) => {
  const response = await post(body);
  expect(response.status).toBe(400);
  expect(await response.text()).toContain(message);
  await vi.waitFor(async () => expect(await readdir(folder)).toEqual([]));
});

test.each([
  ['JSON', 'application/json'],
  ['multipart without a boundary', 'multipart/form-data'],
  ['multipart with an empty boundary', 'multipart/form-data; boundary='],
])('refuses a body of %s', async (_, type) => {
  const response = await fetch(url, { method: 'POST', body: '{}', headers: { 'content-type': type } });
  expect(response.status).toBe(400);
});

test.each([
  [
    'in the middle of a photo',
    `--b\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n${JPEG.toString('latin1')}`,
  ],
  ['in the middle of a header', '--b\r\nContent-Disposition: form-da'],
  ['before its first part', ''],
])('refuses a body that ends %s, and keeps nothing', async (_, body) => {
  const headers = { 'content-type': 'multipart/form-data; boundary=b' };
  const response = await fetch(url, { method: 'POST', body: Buffer.from(body, 'latin1'), headers });
  expect(response.status).toBe(400);
  await vi.waitFor(async () => expect(await readdir(folder)).toEqual([]));
});

test('keeps nothing of a client that hangs up', async () => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: 100000\r\n\r\n');
  socket.write(`--b\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n`);
  socket.write(JPEG);
  await vi.waitFor(async () => expect(await readdir(folder)).toHaveLength(1));
  socket.destroy();
  await expect(received).rejects.toMatchObject({ status: 400, code: 'incomplete_body' });
  expect(await readdir(folder)).toEqual([]);
});
