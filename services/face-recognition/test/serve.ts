import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Client, Metadata, type ServiceError } from '@grpc/grpc-js';
import { silent } from '@kube-face/shared-lib/logger';
import { createRegistry } from '@kube-face/shared-lib/metrics';
import { createClient } from '@kube-face/shared-lib/proto';
import { onTestFinished, vi } from 'vitest';
import type { EnginePool } from '../src/engine/engine.ts';
import { startFaceServer } from '../src/grpc-server.ts';
import { type OpenRecognition, openRecognition } from '../src/recognition.ts';
import { createServiceMetrics } from '../src/service-metrics.ts';
import { temporaryFolder } from './fakes.ts';

export const UNTIL = { timeout: 10_000, interval: 10 };

type Options = { engine: EnginePool; queueLimit?: number; matchThreshold?: number };

/** The whole service but its process, on a free port, over folders of its own. */
export async function serve({ engine, queueLimit = 8, matchThreshold }: Options) {
  const folder = await temporaryFolder();
  const known = join(folder, 'known');
  const unknown = join(folder, 'unknown');
  await Promise.all([mkdir(known), mkdir(unknown)]);
  const registry = createRegistry('face-recognition');
  const metrics = createServiceMetrics(registry);
  let opened: OpenRecognition | undefined;
  let isClosing = false;
  const server = await startFaceServer(0, {
    recognition: () => (opened?.isReady && !isClosing ? opened.recognition : undefined),
    log: silent,
    onIdentified: metrics.identified,
  });

  async function open(): Promise<void> {
    opened = await openRecognition({
      config: {
        knownPeople: known,
        unknownPeople: unknown,
        galleryCache: join(known, '.gallery'),
        galleryPollMs: 50,
        matchThreshold,
        queueLimit,
        photoTimeoutMs: 5_000,
      },
      engine,
      metrics,
      log: silent,
      onReady: server.publishHealth,
      onDeath: (error) => {
        throw error;
      },
    });
    await vi.waitUntil(() => opened?.isReady, UNTIL);
  }

  let closing: Promise<void> | undefined;
  function close(graceMs = 100): Promise<void> {
    isClosing = true;
    closing ??= server.close(graceMs).then(() => opened?.close());
    return closing;
  }
  onTestFinished(() => close());

  const address = `127.0.0.1:${server.port}`;
  return { known, unknown, address, metrics: () => registry.metrics(), open, close };
}

/** A client that is closed after the test, with its unary calls as promises. */
export function connect(service: 'Identify' | 'HealthCheck' | 'Gallery', address: string) {
  const client = createClient(service, address);
  onTestFinished(() => client.close());
  return {
    client,
    call: <A>(method: string, request: object, deadlineMs = 5_000) => {
      const headers = Promise.withResolvers<Metadata>();
      const answer = new Promise<A>((resolve, reject) => {
        const done = (error: ServiceError | null, value?: A) => (error ? reject(error) : resolve(value as A));
        const method_ = client[method] as (...args: unknown[]) => ReturnType<Client['makeUnaryRequest']>;
        const call = method_.call(client, request, new Metadata(), { deadline: Date.now() + deadlineMs }, done);
        call.on('metadata', headers.resolve);
      });
      return Object.assign(answer, { headers: headers.promise });
    },
  };
}
