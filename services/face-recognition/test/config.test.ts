import { ConfigError } from '@kube-face/shared-lib/env';
import { expect, test } from 'vitest';
import { loadConfig } from '../src/config.ts';

test('has a default for everything', () => {
  expect(loadConfig({}, 4)).toEqual({
    port: 50051,
    knownPeople: '/known_people',
    unknownPeople: '/unknown_people',
    galleryCache: '/known_people/.gallery',
    galleryPollMs: 2_000,
    modelDir: undefined,
    matchThreshold: undefined,
    runtime: 'auto',
    workers: 4,
    queueLimit: 64,
    photoTimeoutMs: 30_000,
    shutdownGraceMs: 15_000,
    metricsPort: 9102,
    logLevel: 'info',
  });
});

test('listens on the port of GRPC_ADDRESS and keeps the cache beside the known people', () => {
  expect(loadConfig({ GRPC_ADDRESS: 'face-recog:6000', KNOWN_PEOPLE: '/srv/known' }, 1)).toMatchObject({
    port: 6000,
    galleryCache: '/srv/known/.gallery',
  });
});

test('has one worker where the machine counts no core', () => {
  expect(loadConfig({}, 0).workers).toBe(1);
});

test('names every fault at once, and no value', () => {
  const load = () => loadConfig({ GRPC_ADDRESS: 'secret', MATCH_THRESHOLD: 'near', ENGINE_RUNTIME: 'gpu', WORKERS: '0' }, 1);
  expect(load).toThrow(ConfigError);
  expect(load).toThrow(/GRPC_ADDRESS.*MATCH_THRESHOLD|MATCH_THRESHOLD.*GRPC_ADDRESS/);
  expect(load).toThrow(/ENGINE_RUNTIME/);
  expect(load).toThrow(/WORKERS/);
  expect(load).not.toThrow(/secret|near|gpu/);
});
