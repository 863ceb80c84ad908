import { readFileSync } from 'node:fs';
import { parse } from 'dotenv';
import { z } from 'zod';
import { LOG_LEVELS, type LogLevel } from './logger.ts';

export type Env = Readonly<Record<string, string | undefined>>;
export type HostPort = Readonly<{ host: string; port: number }>;
/** `ca`: PEM text; the connection is encrypted, and the server's certificate must be signed by it and name `host`. */
export type MysqlConfig = Readonly<{
  host: string;
  port: number;
  database: string;
  user: string;
  password: string;
  ca?: string | undefined;
}>;
/** PEM texts: `ca` signs the other side's certificate, `cert` with `key` is our own. */
export type GrpcTls = Readonly<{ ca: string | undefined; own: Readonly<{ cert: string; key: string }> | undefined }>;

/** Every faulty variable in one sentence: names and what is allowed, never values. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`bad configuration: ${faults.join('; ')}`);
    this.faults = faults;
  }
}

/** The environment with what `file` adds to it. A real variable wins; a file that is not there adds nothing. */
export function withEnvFile(env: Env, file = '.env'): Env {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return env;
    throw error;
  }
  return { ...parse(text), ...env };
}

const portSchema = z
  .string()
  .regex(/^\d{1,5}$/)
  .transform(Number)
  .refine((port) => port <= 65_535);
const hostSchema = z.string().regex(/^[A-Za-z0-9._-]+$|^\[[0-9A-Fa-f:]+\]$/);

function parseHostPort(text: string): HostPort | undefined {
  const colon = text.lastIndexOf(':');
  const host = hostSchema.safeParse(text.slice(0, Math.max(colon, 0)));
  const port = portSchema.safeParse(text.slice(colon + 1));
  return host.success && port.success ? { host: host.data, port: port.data } : undefined;
}

/** Reads variables one by one, collects every fault, and throws them together in `done()`. An empty variable counts as unset. */
export function envReader(env: Env) {
  const faults: string[] = [];
  const get = (name: string): string | undefined => env[name]?.trim() || undefined;

  /** The value that `check` makes of the variable, or the default; a fault (and the default) where it makes none. */
  function read<T, D>(name: string, fallback: D, allowed: string, check: (text: string) => T | undefined): T | D {
    const text = get(name);
    if (text === undefined) return fallback;
    const value = check(text);
    if (value !== undefined) return value;
    faults.push(`${name} must be ${allowed}`);
    return fallback;
  }

  function integer(name: string, fallback: number, { min, max }: { min: number; max: number }): number {
    const schema = z
      .string()
      .regex(/^-?\d+$/)
      .transform(Number)
      .refine((value) => value >= min && value <= max);
    return read(name, fallback, `a whole number from ${min} to ${max}`, (text) => schema.safeParse(text).data);
  }

  /** The text of the PEM file that the variable names. */
  function pem(name: string): string | undefined {
    return read(name, undefined, 'the name of a PEM file', (file) => {
      try {
        const text = readFileSync(file, 'utf8');
        return text.includes('-----BEGIN ') ? text : undefined;
      } catch {
        return undefined;
      }
    });
  }

  return {
    string: (name: string, fallback: string) => get(name) ?? fallback,
    optionalString: get,
    integer,
    /** Milliseconds, at least 1 and at most a day. */
    ms: (name: string, fallback: number) => integer(name, fallback, { min: 1, max: 86_400_000 }),
    port: (name: string, fallback: number) => integer(name, fallback, { min: 0, max: 65_535 }),
    optionalNumber: (name: string, { min, max }: { min: number; max: number }): number | undefined =>
      read(name, undefined, `a number from ${min} to ${max}`, (text) => {
        const value = Number(text);
        return value >= min && value <= max ? value : undefined;
      }),
    hostPort: (name: string, fallback: string): HostPort =>
      read(name, parseHostPort(fallback) as HostPort, 'host:port', parseHostPort),
    hostPorts: (name: string, fallback: string): HostPort[] =>
      read(name, [parseHostPort(fallback) as HostPort], 'host:port, several by comma', (text) => {
        const all = text.split(',').map((part) => parseHostPort(part.trim()));
        return all.every((one) => one !== undefined) ? all : undefined;
      }),
    /** An address for a client that resolves it itself: `host:port` or `dns:///host:port`. */
    grpcAddress: (name: string, fallback: string): string =>
      read(name, fallback, 'host:port', (text) => (parseHostPort(text.replace(/^dns:\/\/\//, '')) ? text : undefined)),
    list: (name: string, fallback: string): string[] =>
      (get(name) ?? fallback)
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    logLevel: (): LogLevel =>
      read('LOG_LEVEL', 'info' as const, `one of ${LOG_LEVELS.join(', ')}`, (text) => z.enum(LOG_LEVELS).safeParse(text).data),
    mysql(): MysqlConfig {
      const both = get('MYSQL_USERPASSWORD');
      const colon = both?.indexOf(':') ?? -1;
      if (both === undefined) faults.push('MYSQL_USERPASSWORD must be set: user:password');
      else if (colon < 1) faults.push('MYSQL_USERPASSWORD must be user:password');
      return {
        host: read('MYSQL_CONNECTION', '127.0.0.1', 'a host name or address', (text) => hostSchema.safeParse(text).data),
        port: integer('MYSQL_PORT', 3306, { min: 1, max: 65_535 }),
        database: read('MYSQL_DBNAME', 'kube', 'letters, digits and _', (text) => (/^\w{1,64}$/.test(text) ? text : undefined)),
        user: both?.slice(0, Math.max(colon, 0)) ?? '',
        password: both?.slice(colon + 1) ?? '',
        ca: pem('MYSQL_CA'),
      };
    },
    /** GRPC_CA, GRPC_CERT, GRPC_KEY; undefined where none is set: not encrypted. */
    grpcTls(): GrpcTls | undefined {
      const [ca, cert, key] = [pem('GRPC_CA'), pem('GRPC_CERT'), pem('GRPC_KEY')];
      if ((get('GRPC_CERT') === undefined) !== (get('GRPC_KEY') === undefined)) {
        faults.push('GRPC_CERT and GRPC_KEY must be set together');
      }
      const own = cert !== undefined && key !== undefined ? { cert, key } : undefined;
      return ca === undefined && own === undefined ? undefined : { ca, own };
    },
    /** An http(s) address. */
    optionalUrl: (name: string): string | undefined =>
      read(name, undefined, 'an http(s) address', (text) =>
        /^https?:\/\/[^/\s]/.test(text) && URL.canParse(text) ? text : undefined,
      ),
    /** Reports a rule that spans several variables. */
    fault: (sentence: string) => void faults.push(sentence),
    /** Throws one ConfigError that names every bad variable. */
    done(): void {
      if (faults.length > 0) throw new ConfigError(faults);
    },
  };
}
