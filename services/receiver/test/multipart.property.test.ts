import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import { Agent, createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, expect } from 'vitest';
import { property } from '../../../test/harness/property.ts';
import { tempFolder } from '../../../test/harness/temp-folder.ts';
import { ApiError } from '../src/api-error.ts';
import { receiveForm } from '../src/multipart.ts';
import { KIND_BYTES, photoKind } from '../src/photo-kind.ts';

const folder = tempFolder('forms');
const agent = new Agent({ keepAlive: true });
let server: Server;
let port: number;

type Answer =
  | { photos: { sha256: string | undefined; error: string | undefined }[]; fields: [string, string[]][] }
  | { refused: number };

beforeAll(async () => {
  server = createServer(async (incoming, response) => {
    let answer: Answer;
    try {
      const { photos, fields, discard } = await receiveForm(incoming, folder);
      const outcomes = photos.map(({ sha256, error }) => ({ sha256: sha256?.toString('hex'), error: error?.code }));
      answer = { photos: outcomes, fields: [...fields].map(([name, values]) => [name, [...values]]) };
      await discard();
    } catch (error) {
      if (!(error instanceof ApiError)) return void response.writeHead(500).end(String(error));
      answer = { refused: error.status };
    }
    response.end(JSON.stringify(answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  agent.destroy();
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true });
});

/** Sends the body in pieces of these sizes. */
async function post(body: Uint8Array, boundary: string, sizes: readonly number[]): Promise<Answer> {
  const headers = { 'content-type': `multipart/form-data; boundary=${boundary}`, 'content-length': body.length };
  const outgoing = request({ port, method: 'POST', headers, agent });
  const answered = once(outgoing, 'response');
  let at = 0;
  for (const size of sizes) {
    if (at + size >= body.length) break;
    outgoing.write(body.subarray(at, at + size));
    at += size;
  }
  outgoing.end(body.subarray(at));
  const [response] = await answered;
  const answer = await text(response);
  expect(response.statusCode, answer).toBe(200);
  return JSON.parse(answer) as Answer;
}

const HEADS = [
  Buffer.from([0xff, 0xd8, 0xff]),
  Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
  Buffer.from('RIFF0000WEBP'),
  Buffer.from('RIFF0000WAVE'),
  Buffer.from('GIF89a'),
];
const photo = fc
  .tuple(fc.constantFrom(...HEADS), fc.uint8Array({ maxLength: 400 }))
  .map(([head, rest]) => Buffer.concat([head, rest]));
const field = fc.record({ name: fc.constantFrom('name', 'note'), value: fc.string({ maxLength: 40 }) });
const part = fc.oneof(photo, field);
const sizes = fc.array(fc.integer({ min: 1, max: 64 }), { maxLength: 60 });
const BOUNDARY = 'b0undary';

function encode(parts: readonly (Buffer | { name: string; value: string })[]): Buffer {
  const pieces = parts.flatMap((one) => {
    const isPhoto = Buffer.isBuffer(one);
    const about = isPhoto ? 'name="image"; filename="a.jpg"' : `name="${one.name}"`;
    const type = isPhoto ? 'Content-Type: image/jpeg\r\n' : '';
    return [
      Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; ${about}\r\n${type}\r\n`),
      isPhoto ? one : Buffer.from(one.value),
      Buffer.from('\r\n'),
    ];
  });
  return Buffer.concat([...pieces, Buffer.from(`--${BOUNDARY}--\r\n`)]);
}

property(
  'however a form is cut into pieces, every photo arrives whole',
  [fc.array(part, { maxLength: 6 }), sizes],
  async (parts, cuts) => {
    fc.pre(!parts.some((one) => (Buffer.isBuffer(one) ? one : one.value).includes(`--${BOUNDARY}`)));
    const photos = parts.filter((one) => Buffer.isBuffer(one));
    const fields = parts.flatMap((one) => (Buffer.isBuffer(one) ? [] : one));
    const answer = await post(encode(parts), BOUNDARY, cuts);
    if (parts.length === 0) return; // an empty form may be refused
    expect(answer).toMatchObject({
      photos: photos.map((bytes) =>
        photoKind(bytes.subarray(0, KIND_BYTES)) === undefined
          ? { error: 'unreadable_image' }
          : { sha256: createHash('sha256').update(bytes).digest('hex') },
      ),
    });
    for (const [name, values] of 'fields' in answer ? answer.fields : []) {
      expect(values).toEqual(fields.filter((one) => one.name === name).map(({ value }) => value));
    }
    expect(readdirSync(folder)).toEqual([]);
  },
  { cost: 2 },
);

const damage = fc.record({ at: fc.nat(), drop: fc.nat(30), put: fc.uint8Array({ maxLength: 30 }) });

property(
  'a form that is damaged is answered, and leaves nothing behind',
  [fc.array(part, { minLength: 1, maxLength: 4 }), fc.array(damage, { minLength: 1, maxLength: 4 }), sizes],
  async (parts, damages, cuts) => {
    let body = encode(parts);
    for (const { at, drop, put } of damages) {
      const place = at % (body.length + 1);
      body = Buffer.concat([body.subarray(0, place), put, body.subarray(place + drop)]);
    }
    const answer = await post(body, BOUNDARY, cuts);
    if ('refused' in answer) expect([400, 413]).toContain(answer.refused);
    expect(readdirSync(folder)).toEqual([]);
  },
  { cost: 2 },
);

property(
  'a photo is what its first bytes say, however few there are',
  [fc.oneof(photo, fc.uint8Array({ maxLength: 20 }))],
  (bytes) => {
    const kind = photoKind(Buffer.from(bytes));
    const head = Buffer.from(bytes).toString('latin1');
    const expected = head.startsWith('\xff\xd8\xff')
      ? 'jpg'
      : head.startsWith('\x89PNG\r\n\x1a\n')
        ? 'png'
        : head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP'
          ? 'webp'
          : undefined;
    expect(kind).toBe(expected);
  },
);
