import { join } from 'node:path';
import { httpAnswers } from '../parts/answers.ts';
import type { MysqlAccount } from '../parts/mysql.ts';
import type { Part } from '../parts/part.ts';
import type { SystemPorts } from './ports.ts';
import { CHECKOUT, STATE } from './state.ts';

export const DATABASE = 'kube';

type Options = { ports: SystemPorts; account: MysqlAccount; env: NodeJS.ProcessEnv };

/** What the services must know of each other and of where things are; a user's own settings of anything else go through. */
function serviceEnv({ ports, account, env }: Options): NodeJS.ProcessEnv {
  return {
    ALLOWED_ORIGINS: `:${ports.frontend}`,
    ...env,
    MYSQL_CONNECTION: '127.0.0.1',
    MYSQL_PORT: String(ports.mysql),
    MYSQL_DBNAME: DATABASE,
    MYSQL_USERPASSWORD: `${account.user}:${account.password}`,
    PRODUCER_ADDRESS: `127.0.0.1:${ports.nsqdTcp}`,
    NSQD_HTTP_ADDRESS: `127.0.0.1:${ports.nsqdHttp}`,
    NSQ_LOOKUP_ADDRESS: `127.0.0.1:${ports.lookupHttp}`,
    GRPC_ADDRESS: `127.0.0.1:${ports.grpc}`,
    KNOWN_PEOPLE: STATE.knownPeople,
    UNKNOWN_PEOPLE: STATE.unknownPeople,
    RECEIVER_PORT: String(ports.receiver),
    FRONTEND_PORT: String(ports.frontend),
    RECEIVER_PUBLIC_URL: `:${ports.receiver}`,
  };
}

const SERVICES = {
  'face-recognition': 'faceRecognitionMetrics',
  'image-processor': 'imageProcessorMetrics',
  receiver: 'receiverMetrics',
  frontend: 'frontendMetrics',
} as const satisfies Record<string, keyof SystemPorts>;

export type ServiceName = keyof typeof SERVICES;

// As in the image: glibc else keeps memory for each of the many threads that face-recognition decodes in, and the gaps between large photos.
const GLIBC = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '1048576' };

/** A service as it runs in production: built, one process, told everything by its environment. */
export function servicePart(name: ServiceName, options: Options): Part {
  const metricsPort = options.ports[SERVICES[name]];
  return {
    name,
    command: process.execPath,
    args: [`services/${name}/dist/main.js`],
    cwd: CHECKOUT,
    env: { ...serviceEnv(options), ...GLIBC, METRICS_PORT: String(metricsPort) },
    isReady: () => httpAnswers(`http://127.0.0.1:${metricsPort}/readyz`),
    graceMs: 30_000,
  };
}

/**
 * One run of the redeemer. It is image-processor's second entry point, and is named by its working folder, so that whoever looks
 * for the image-processor by name finds that one alone.
 */
export function redeemerPart(options: Options): Part {
  return {
    name: 'redeemer',
    command: process.execPath,
    args: ['dist/redeemer.js'],
    cwd: join(CHECKOUT, 'services/image-processor'),
    env: serviceEnv(options),
    isReady: async () => true,
    graceMs: 10_000,
  };
}
