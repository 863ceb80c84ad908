import { type Env, envReader, type MysqlConfig } from '@kube-face/shared-lib/env';
import type { LogLevel } from '@kube-face/shared-lib/logger';

export type Config = Readonly<{
  port: number;
  metricsPort: number;
  mysql: MysqlConfig;
  knownPeople: string;
  unknownPeople: string;
  /** `http(s)://host[:port][/path]` without a slash at the end, or `:port` for the page's host with that port. */
  receiverUrl: string;
  /** Distance up to which two faces count as one person: shown, not decided here. */
  matchThreshold: number;
  logLevel: LogLevel;
  shutdownGraceMs: number;
  /** OpenTelemetry collector; none: nothing is traced. */
  tracesEndpoint: string | undefined;
}>;

/** Of the descriptor model that face recognition brings (docs of MATCH_THRESHOLD). */
const DEFAULT_THRESHOLD = 0.5;

function receiverUrl(text: string): string | undefined {
  if (/^:\d{1,5}$/.test(text)) return Number(text.slice(1)) <= 65_535 ? text : undefined;
  if (!URL.canParse(text)) return undefined;
  const { protocol, username, password, search, hash, origin, pathname } = new URL(text);
  if (!/^https?:$/.test(protocol) || username || password || search || hash) return undefined;
  return origin + pathname.replace(/\/+$/, '');
}

/** The environment as this service understands it. Throws one ConfigError that names every bad variable. */
export function loadConfig(env: Env): Config {
  const read = envReader(env);
  const address = receiverUrl(read.string('RECEIVER_PUBLIC_URL', ':8000'));
  if (address === undefined) read.fault('RECEIVER_PUBLIC_URL must be an http(s) address or :PORT');
  const config: Config = Object.freeze({
    port: read.port('FRONTEND_PORT', 8081),
    metricsPort: read.port('METRICS_PORT', 9103),
    mysql: read.mysql(),
    knownPeople: read.string('KNOWN_PEOPLE', '/known_people'),
    unknownPeople: read.string('UNKNOWN_PEOPLE', '/unknown_people'),
    receiverUrl: address ?? '',
    matchThreshold: read.optionalNumber('MATCH_THRESHOLD', { min: 0, max: 100 }) ?? DEFAULT_THRESHOLD,
    logLevel: read.logLevel(),
    shutdownGraceMs: read.ms('SHUTDOWN_GRACE_MS', 10_000),
    tracesEndpoint: read.optionalUrl('OTEL_EXPORTER_OTLP_ENDPOINT'),
  });
  read.done();
  return config;
}
