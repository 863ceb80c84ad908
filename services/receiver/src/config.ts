import { type Env, envReader, type GrpcTls, type HostPort, type MysqlConfig } from '@kube-face/shared-lib/env';
import type { LogLevel } from '@kube-face/shared-lib/logger';

export type Config = Readonly<{
  port: number;
  metricsPort: number;
  logLevel: LogLevel;
  mysql: MysqlConfig;
  producerAddress: HostPort;
  nsqdHttpAddress: HostPort;
  grpcAddress: string;
  grpcTls: GrpcTls | undefined;
  knownPeople: string;
  unknownPeople: string;
  apiToken: string | undefined;
  allowedOrigins: readonly string[];
  /** How long a closing receiver waits for its nsqd to hand out what it holds; 0: not at all. */
  drainMs: number;
  /** Requests that are worked on side by side; more are answered with 429. */
  maxConcurrentRequests: number;
  /** Requests that one client may make in a second; 0: any number. */
  maxRequestsPerSecond: number;
  /** OpenTelemetry collector; none: nothing is traced. */
  tracesEndpoint: string | undefined;
}>;

/** Reads the whole configuration. Throws one ConfigError that names every bad variable. */
export function loadConfig(env: Env): Config {
  const read = envReader(env);
  const config: Config = {
    port: read.port('RECEIVER_PORT', 8000),
    metricsPort: read.port('METRICS_PORT', 9100),
    logLevel: read.logLevel(),
    mysql: read.mysql(),
    producerAddress: read.hostPort('PRODUCER_ADDRESS', '127.0.0.1:4150'),
    nsqdHttpAddress: read.hostPort('NSQD_HTTP_ADDRESS', '127.0.0.1:4151'),
    grpcAddress: read.grpcAddress('GRPC_ADDRESS', '127.0.0.1:50051'),
    grpcTls: read.grpcTls(),
    knownPeople: read.string('KNOWN_PEOPLE', '/known_people'),
    unknownPeople: read.string('UNKNOWN_PEOPLE', '/unknown_people'),
    apiToken: read.optionalString('API_TOKEN'),
    allowedOrigins: read.list('ALLOWED_ORIGINS', ':8081'),
    drainMs: read.integer('DRAIN_MS', 10_000, { min: 0, max: 600_000 }),
    maxConcurrentRequests: read.integer('MAX_CONCURRENT_REQUESTS', 10_000, { min: 1, max: 100_000 }),
    maxRequestsPerSecond: read.integer('MAX_REQUESTS_PER_SECOND', 0, { min: 0, max: 1_000_000 }),
    tracesEndpoint: read.optionalUrl('OTEL_EXPORTER_OTLP_ENDPOINT'),
  };
  for (const origin of config.allowedOrigins) {
    if (!/^:\d{1,5}$|^https?:\/\/[^/\s]+$/.test(origin))
      read.fault('ALLOWED_ORIGINS must be http(s)://host[:port] or :PORT, several by comma');
  }
  read.done();
  return Object.freeze(config);
}
