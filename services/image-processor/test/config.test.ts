import { ConfigError } from '@kube-face/shared-lib/env';
import { expect, test } from 'vitest';
import { loadConfig } from '../src/config.ts';
import { loadRedeemerConfig } from '../src/redeemer-config.ts';

const MYSQL_USERPASSWORD = 'kube:secret';

test('the processor needs nothing but the account', () => {
  expect(loadConfig({ MYSQL_USERPASSWORD })).toMatchObject({
    mysql: { host: '127.0.0.1', port: 3306, database: 'kube', user: 'kube', password: 'secret' },
    lookupAddresses: [{ host: '127.0.0.1', port: 4161 }],
    grpcAddress: '127.0.0.1:50051',
    metricsPort: 9101,
    leaseMs: 30_000,
    callTimeoutMs: 10_000,
    retry: { baseMs: 5_000, maxMs: 300_000, maxAttempts: 5 },
    breaker: { breakMs: 5_000, breakMaxMs: 60_000 },
    logLevel: 'info',
  });
});

test('the redeemer needs nothing but the account', () => {
  expect(loadRedeemerConfig({ MYSQL_USERPASSWORD })).toMatchObject({
    producerAddress: { host: '127.0.0.1', port: 4150 },
    lookupAddresses: [{ host: '127.0.0.1', port: 4161 }],
    redeemAfterMs: 60_000,
  });
});

test('several nsqlookupds by comma', () => {
  const env = { MYSQL_USERPASSWORD, NSQ_LOOKUP_ADDRESS: 'nsqlookup-0:4161, nsqlookup-1:4161' };
  const both = [
    { host: 'nsqlookup-0', port: 4161 },
    { host: 'nsqlookup-1', port: 4161 },
  ];

  expect(loadConfig(env).lookupAddresses).toEqual(both);
  expect(loadRedeemerConfig(env).lookupAddresses).toEqual(both);
});

test('every fault is told at once, by name and without a value', () => {
  const env = {
    MYSQL_USERPASSWORD: 'sesame',
    LEASE_MS: '0',
    MAX_ATTEMPTS: 'many',
    GRPC_ADDRESS: 'nowhere',
    NSQ_LOOKUP_ADDRESS: 'a',
    BREAK_MS: '-1',
    LOG_LEVEL: 'loud',
  };
  let message = '';
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) message = error.message;
  }

  for (const name of Object.keys(env)) expect(message).toContain(name);
  expect(message).not.toContain('sesame');
  expect(() => loadRedeemerConfig({ MYSQL_USERPASSWORD, PRODUCER_ADDRESS: 'a', REDEEM_AFTER_MS: 'soon' })).toThrow(
    /PRODUCER_ADDRESS.*REDEEM_AFTER_MS/,
  );
});
