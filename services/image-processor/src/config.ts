import { type Env, envReader, type GrpcTls, type HostPort, type MysqlConfig } from '@kube-face/shared-lib/env';
import type { LogLevel } from '@kube-face/shared-lib/logger';

export type Config = Readonly<{
  mysql: MysqlConfig;
  lookupAddresses: readonly HostPort[];
  grpcAddress: string;
  grpcTls: GrpcTls | undefined;
  metricsPort: number;
  leaseMs: number;
  callTimeoutMs: number;
  retry: Readonly<{ baseMs: number; maxMs: number; maxAttempts: number }>;
  breaker: Readonly<{ breakMs: number; breakMaxMs: number }>;
  /** OpenTelemetry collector; none: nothing is traced. */
  tracesEndpoint: string | undefined;
  logLevel: LogLevel;
}>;

/** Throws one ConfigError that names every bad variable. */
export function loadConfig(env: Env): Config {
  const read = envReader(env);
  const config: Config = {
    mysql: read.mysql(),
    lookupAddresses: read.hostPorts('NSQ_LOOKUP_ADDRESS', '127.0.0.1:4161'),
    grpcAddress: read.grpcAddress('GRPC_ADDRESS', '127.0.0.1:50051'),
    grpcTls: read.grpcTls(),
    metricsPort: read.port('METRICS_PORT', 9101),
    leaseMs: read.ms('LEASE_MS', 30_000),
    callTimeoutMs: read.ms('CALL_TIMEOUT_MS', 10_000),
    retry: {
      baseMs: read.ms('RETRY_BASE_MS', 5_000),
      maxMs: read.ms('RETRY_MAX_MS', 300_000),
      maxAttempts: read.integer('MAX_ATTEMPTS', 5, { min: 1, max: 1_000 }),
    },
    breaker: { breakMs: read.ms('BREAK_MS', 5_000), breakMaxMs: read.ms('BREAK_MAX_MS', 60_000) },
    tracesEndpoint: read.optionalUrl('OTEL_EXPORTER_OTLP_ENDPOINT'),
    logLevel: read.logLevel(),
  };
  read.done();
  return Object.freeze(config);
}
