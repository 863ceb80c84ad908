import { ConfigError } from '@kube-face/shared-lib/env';
import { expect, test } from 'vitest';
import { loadConfig } from '../src/config.ts';

const REQUIRED = { MYSQL_USERPASSWORD: 'kube:secret' };

test('the defaults are the contract’s', () => {
  expect(loadConfig(REQUIRED)).toMatchObject({
    port: 8081,
    metricsPort: 9103,
    mysql: { host: '127.0.0.1', port: 3306, database: 'kube', user: 'kube', password: 'secret' },
    knownPeople: '/known_people',
    unknownPeople: '/unknown_people',
    receiverUrl: ':8000',
    matchThreshold: 0.5,
  });
});

test.each([
  [':30251', ':30251'],
  ['https://faces.example.org/', 'https://faces.example.org'],
  ['http://10.0.0.1:8000/receiver//', 'http://10.0.0.1:8000/receiver'],
])('browsers reach the receiver at %s', (given, receiverUrl) => {
  expect(loadConfig({ ...REQUIRED, RECEIVER_PUBLIC_URL: given }).receiverUrl).toBe(receiverUrl);
});

test.each([
  '8000',
  ':99999',
  'ftp://a',
  'http://user:secret@a',
  'http://a/?b',
  'javascript:alert(1)',
  "http://a; script-src 'unsafe-inline'",
])('%s is no address of a receiver', (given) => {
  expect(() => loadConfig({ ...REQUIRED, RECEIVER_PUBLIC_URL: given })).toThrow(/RECEIVER_PUBLIC_URL/);
});

test('all faults are told together, by name, never with values', () => {
  const load = () =>
    loadConfig({ FRONTEND_PORT: 'lots', RECEIVER_PUBLIC_URL: 'nowhere', MATCH_THRESHOLD: 'near', LOG_LEVEL: 'loud' });
  expect(load).toThrow(ConfigError);
  expect(load).toThrow(/FRONTEND_PORT.*MYSQL_USERPASSWORD.*MATCH_THRESHOLD.*LOG_LEVEL/);
  expect(load).not.toThrow(/lots|nowhere|near|loud/);
});
