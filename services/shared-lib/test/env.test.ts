import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempFolder } from '../../../test/harness/temp-folder.ts';
import { ConfigError, envReader, withEnvFile } from '../src/env.ts';

function faultsOf(work: () => void): readonly string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

test('reads what is set and falls back to the default for what is unset or empty', () => {
  const read = envReader({ RECEIVER_PORT: '8001', PRODUCER_ADDRESS: ' nsqd:4150 ', LEASE_MS: '' });
  expect(read.port('RECEIVER_PORT', 8000)).toBe(8001);
  expect(read.hostPort('PRODUCER_ADDRESS', '127.0.0.1:1')).toEqual({ host: 'nsqd', port: 4150 });
  expect(read.ms('LEASE_MS', 30_000)).toBe(30_000);
  expect(read.logLevel()).toBe('info');
  expect(faultsOf(read.done)).toEqual([]);
});

test('reports all faults together, by name and never with values', () => {
  const read = envReader({
    RECEIVER_PORT: '99999',
    PRODUCER_ADDRESS: 'tcp://10.0.0.1:80',
    LOG_LEVEL: 'loud',
    MYSQL_USERPASSWORD: 'topsecret',
  });
  read.port('RECEIVER_PORT', 8000);
  read.hostPort('PRODUCER_ADDRESS', '127.0.0.1:4150');
  read.logLevel();
  read.mysql();

  const faults = faultsOf(read.done);

  expect(faults).toEqual([
    'RECEIVER_PORT must be a whole number from 0 to 65535',
    'PRODUCER_ADDRESS must be host:port',
    'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent',
    'MYSQL_USERPASSWORD must be user:password',
  ]);
  expect(new ConfigError(faults).message).not.toMatch(/99999|tcp|loud|topsecret/);
});

test('a password may hold colons', () => {
  const mysql = envReader({ MYSQL_USERPASSWORD: 'kube:a:b:c' }).mysql();
  expect(mysql).toEqual({ host: '127.0.0.1', port: 3306, database: 'kube', user: 'kube', password: 'a:b:c' });
});

test('without an account there is a fault, not a guess', () => {
  const read = envReader({});
  read.mysql();
  expect(faultsOf(read.done)).toEqual(['MYSQL_USERPASSWORD must be set: user:password']);
});

test.each([
  [
    'a:1,b:2',
    [
      { host: 'a', port: 1 },
      { host: 'b', port: 2 },
    ],
  ],
  ['[::1]:4161', [{ host: '[::1]', port: 4161 }]],
])('several addresses by comma: %s', (text, expected) => {
  expect(envReader({ NSQ_LOOKUP_ADDRESS: text }).hostPorts('NSQ_LOOKUP_ADDRESS', '127.0.0.1:4161')).toEqual(expected);
});

test('a .env file adds variables, and a real one wins', () => {
  const file = join(tempFolder('env'), '.env');
  writeFileSync(file, 'LEASE_MS=1000\nLOG_LEVEL=debug\n');
  expect(withEnvFile({ LOG_LEVEL: 'warn' }, file)).toEqual({ LEASE_MS: '1000', LOG_LEVEL: 'warn' });
  expect(withEnvFile({ A: 'b' }, `${file}.missing`)).toEqual({ A: 'b' });
});

test('a PEM file is read where it is named, and a certificate comes with its key', () => {
  const folder = tempFolder('env');
  const [pem, other] = [join(folder, 'a.pem'), join(folder, 'b.pem')];
  writeFileSync(pem, '-----BEGIN CERTIFICATE-----\n');
  writeFileSync(other, 'no such thing');
  const tls = (env: Record<string, string>) => {
    const read = envReader(env);
    return { tls: read.grpcTls(), faults: faultsOf(read.done) };
  };

  expect(tls({})).toEqual({ tls: undefined, faults: [] });
  expect(tls({ GRPC_CA: pem }).tls).toEqual({ ca: '-----BEGIN CERTIFICATE-----\n', own: undefined });
  expect(tls({ GRPC_CERT: pem }).faults).toEqual(['GRPC_CERT and GRPC_KEY must be set together']);
  expect(tls({ GRPC_CA: other }).faults).toEqual(['GRPC_CA must be the name of a PEM file']);
  expect(tls({ GRPC_CA: join(folder, 'none') }).faults).toEqual(['GRPC_CA must be the name of a PEM file']);
});

test.each(['collector:4318', 'ftp://collector', 'http://'])('%s is no address of a collector', (text) => {
  const read = envReader({ OTEL_EXPORTER_OTLP_ENDPOINT: text });
  expect(read.optionalUrl('OTEL_EXPORTER_OTLP_ENDPOINT')).toBeUndefined();
  expect(faultsOf(read.done)).toEqual(['OTEL_EXPORTER_OTLP_ENDPOINT must be an http(s) address']);
});
