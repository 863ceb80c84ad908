import { expect, test } from 'vitest';
import { loadConfig } from '../src/config.ts';

test('has defaults for everything but the password', () => {
  expect(loadConfig({ MYSQL_USERPASSWORD: 'kube:secret' })).toEqual({
    port: 8000,
    metricsPort: 9100,
    logLevel: 'info',
    mysql: { host: '127.0.0.1', port: 3306, database: 'kube', user: 'kube', password: 'secret' },
    producerAddress: { host: '127.0.0.1', port: 4150 },
    nsqdHttpAddress: { host: '127.0.0.1', port: 4151 },
    grpcAddress: '127.0.0.1:50051',
    grpcTls: undefined,
    knownPeople: '/known_people',
    unknownPeople: '/unknown_people',
    apiToken: undefined,
    allowedOrigins: [':8081'],
    drainMs: 10_000,
    maxConcurrentRequests: 10_000,
    maxRequestsPerSecond: 0,
    tracesEndpoint: undefined,
  });
});

test('names every bad variable at once, and no value', () => {
  const bad = { RECEIVER_PORT: 'eighty', DRAIN_MS: '-1', ALLOWED_ORIGINS: 'faces.example', API_TOKEN: 'hush' };
  expect(() => loadConfig(bad)).toThrow(/RECEIVER_PORT.*MYSQL_USERPASSWORD.*DRAIN_MS.*ALLOWED_ORIGINS/);
  expect(() => loadConfig(bad)).not.toThrow(/eighty|hush/);
});
