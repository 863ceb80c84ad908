import { type Env, envReader, type HostPort, type MysqlConfig } from '@kube-face/shared-lib/env';
import type { LogLevel } from '@kube-face/shared-lib/logger';

export type RedeemerConfig = Readonly<{
  mysql: MysqlConfig;
  producerAddress: HostPort;
  lookupAddresses: readonly HostPort[];
  redeemAfterMs: number;
  /** OpenTelemetry collector; none: nothing is traced. */
  tracesEndpoint: string | undefined;
  logLevel: LogLevel;
}>;

/** Throws one ConfigError that names every bad variable. */
export function loadRedeemerConfig(env: Env): RedeemerConfig {
  const read = envReader(env);
  const config: RedeemerConfig = {
    mysql: read.mysql(),
    producerAddress: read.hostPort('PRODUCER_ADDRESS', '127.0.0.1:4150'),
    lookupAddresses: read.hostPorts('NSQ_LOOKUP_ADDRESS', '127.0.0.1:4161'),
    redeemAfterMs: read.ms('REDEEM_AFTER_MS', 60_000),
    tracesEndpoint: read.optionalUrl('OTEL_EXPORTER_OTLP_ENDPOINT'),
    logLevel: read.logLevel(),
  };
  read.done();
  return Object.freeze(config);
}
