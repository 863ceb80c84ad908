import { join } from 'node:path';
import { type Env, envReader, type GrpcTls } from '@kube-face/shared-lib/env';
import type { LogLevel } from '@kube-face/shared-lib/logger';

export type Config = Readonly<{
  port: number;
  /** Encrypted where it has a certificate of our own; `ca` lets in only clients that it has signed. */
  tls: GrpcTls | undefined;
  knownPeople: string;
  unknownPeople: string;
  galleryCache: string;
  galleryPollMs: number;
  modelDir: string | undefined;
  matchThreshold: number | undefined;
  runtime: 'native' | 'wasm' | 'auto';
  workers: number;
  queueLimit: number;
  photoTimeoutMs: number;
  shutdownGraceMs: number;
  metricsPort: number;
  /** OpenTelemetry collector; none: nothing is traced. */
  tracesEndpoint: string | undefined;
  logLevel: LogLevel;
}>;

const RUNTIMES = ['native', 'wasm', 'auto'] as const;

/** `cores` is what the machine, or the container's CPU limit, gives: one worker each unless `WORKERS` says otherwise. */
export function loadConfig(env: Env, cores: number): Config {
  const read = envReader(env);
  const knownPeople = read.string('KNOWN_PEOPLE', '/known_people');
  const runtime = read.string('ENGINE_RUNTIME', 'auto');
  if (!RUNTIMES.some((one) => one === runtime)) read.fault(`ENGINE_RUNTIME must be one of ${RUNTIMES.join(', ')}`);

  const config = {
    port: read.hostPort('GRPC_ADDRESS', '127.0.0.1:50051').port,
    tls: read.grpcTls(),
    knownPeople,
    unknownPeople: read.string('UNKNOWN_PEOPLE', '/unknown_people'),
    galleryCache: read.string('GALLERY_CACHE', join(knownPeople, '.gallery')),
    galleryPollMs: read.ms('GALLERY_POLL_MS', 2_000),
    modelDir: read.optionalString('MODEL_DIR'),
    matchThreshold: read.optionalNumber('MATCH_THRESHOLD', { min: 0, max: 100 }),
    runtime: RUNTIMES.find((one) => one === runtime) ?? 'auto',
    workers: read.integer('WORKERS', Math.max(1, cores), { min: 1, max: 256 }),
    queueLimit: read.integer('QUEUE_LIMIT', 64, { min: 0, max: 100_000 }),
    photoTimeoutMs: read.ms('PHOTO_TIMEOUT_MS', 30_000),
    shutdownGraceMs: read.ms('SHUTDOWN_GRACE_MS', 15_000),
    metricsPort: read.port('METRICS_PORT', 9102),
    tracesEndpoint: read.optionalUrl('OTEL_EXPORTER_OTLP_ENDPOINT'),
    logLevel: read.logLevel(),
  };
  if (config.tls && !config.tls.own) read.fault('GRPC_CA needs GRPC_CERT and GRPC_KEY beside it');
  read.done();
  return Object.freeze(config);
}
