import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { afterEach, expect, test, vi } from 'vitest';
import { faultOfText } from '../src/image-path.ts';
import { MAX_BODY_BYTES, parseJson, readBody } from '../src/json-body.ts';

const bytes = (...parts: (string | number[])[]) => Buffer.concat(parts.map((part) => Buffer.from(part)));

afterEach(() => vi.useRealTimers());

test('reads JSON, with a byte order mark too', () => {
  expect(parseJson(bytes([0xef, 0xbb, 0xbf], '{"path":"ä"}'))).toEqual({ path: 'ä' });
});

test.each([
  ['an empty body', '', 'empty'],
  ['text', 'hello', 'not JSON'],
  ['a form', 'path=a.jpg', 'not JSON'],
  ['a broken object', '{"path":', 'not JSON: Unexpected end'],
  ['nesting that no request has', '['.repeat(5_000_000), 'nested more than 32 deep'],
])('says what is wrong with %s', (_, text, message) => {
  expect(() => parseJson(Buffer.from(text))).toThrow(message);
});

test('counts no brackets inside of text', () => {
  const path = '\\"[{'.repeat(100);
  expect(parseJson(Buffer.from(JSON.stringify({ path, quoted: '\\"[' })))).toMatchObject({ path });
});

test('does not let a body reach prototypes', () => {
  const value = parseJson(Buffer.from('{"__proto__":{"polluted":true}}'));
  expect(value).toHaveProperty('__proto__', { polluted: true });
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect({}).not.toHaveProperty('polluted');
});

test('marks bytes that are not UTF-8, in the one value that has them', () => {
  const value = parseJson(bytes('["good.jpg","\ufffd.jpg","', [0xff, 0xfe], '.jpg","ä"]')) as string[];
  expect(value.map((path) => faultOfText(path))).toEqual([undefined, undefined, 'must be UTF-8', undefined]);
  expect(value[1]).toBe('\ufffd.jpg');
});

function request(headers: Record<string, string> = {}): PassThrough & IncomingMessage {
  return Object.assign(new PassThrough(), { headers }) as PassThrough & IncomingMessage;
}

test('reads a body that comes in pieces', async () => {
  const stream = request();
  const body = readBody(stream);
  stream.write('{"a"');
  stream.end(':1}');
  expect(String(await body)).toBe('{"a":1}');
});

test('refuses a body that says it is too large before it comes', async () => {
  await expect(readBody(request({ 'content-length': String(MAX_BODY_BYTES + 1) }))).rejects.toMatchObject({ status: 413 });
});

test('refuses a body that becomes too large', async () => {
  const stream = request();
  const body = readBody(stream);
  stream.write(Buffer.alloc(MAX_BODY_BYTES));
  stream.write('x');
  await expect(body).rejects.toMatchObject({ status: 413 });
});

test('refuses a body that breaks off', async () => {
  const stream = request();
  const body = readBody(stream);
  stream.write('{');
  stream.destroy();
  await expect(body).rejects.toMatchObject({ status: 400, code: 'incomplete_body' });
});

test('gives up a client that stops sending', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const stream = request();
  const body = readBody(stream);
  const refused = expect(body).rejects.toMatchObject({ status: 408 });
  await vi.advanceTimersByTimeAsync(15_000);
  await refused;
});
