import { expect, test } from 'vitest';
import { createAccess } from '../src/access.ts';

const open = createAccess({ token: undefined, allowedOrigins: [':8081', 'https://faces.example'] });
const guarded = createAccess({ token: 's3cret', allowedOrigins: [] });
const host = 'kube.example:8000';

test.each([
  ['no Origin', undefined, true],
  ["the request's own host with the port", 'http://kube.example:8081', true],
  ['the same over TLS', 'https://kube.example:8081', true],
  ['a whole origin that is listed', 'https://faces.example', true],
  ['our own page', 'http://kube.example:8000', true],
  ['another port', 'http://kube.example:8082', false],
  ['another host with the port', 'http://evil.example:8081', false],
  ['a listed host over another scheme', 'http://faces.example', false],
  ['a page without an origin', 'null', false],
  ['what is no origin', 'http://kube.example:8081/path', false],
])('%s: %s may be read by: %s', (_, origin, expected) => {
  expect(open.isAllowedOrigin(origin === undefined ? { host } : { host, origin })).toBe(expected);
});

test('another origin may read, but change nothing', () => {
  const headers = { host, origin: 'http://evil.example' };
  expect(open.refusal('GET', headers)).toBeUndefined();
  expect(open.refusal('POST', headers)).toMatchObject({ status: 403 });
  expect(open.refusal('DELETE', headers)).toMatchObject({ status: 403 });
});

test.each([
  ['the token', 'Bearer s3cret', undefined],
  ['the token, the scheme in small letters', 'bearer s3cret', undefined],
  ['no token', undefined, 401],
  ['another token', 'Bearer s3cret2', 401],
  ['a beginning of it', 'Bearer s3c', 401],
  ['an empty one', 'Bearer ', 401],
  ['another scheme', 'Basic s3cret', 401],
])('with %s: %s', (_, authorization, status) => {
  const headers = authorization === undefined ? { host } : { host, authorization };
  expect(guarded.refusal('GET', headers)?.status).toBe(status);
});

test('where no token is set, none is needed', () => {
  expect(open.refusal('POST', { host })).toBeUndefined();
});
