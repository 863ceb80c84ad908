import { join } from 'node:path';
import { httpAnswers } from '../../scripts/parts/answers.ts';
import { freePort } from '../../scripts/parts/ports.ts';
import { CHECKOUT } from '../../scripts/system/state.ts';
import { type Running, run } from './running.ts';
import { tempFolder } from './temp-folder.ts';

export type ServiceName = 'receiver' | 'image-processor' | 'face-recognition' | 'frontend';
export type Env = Readonly<Record<string, string>>;

/** `env` is all that it was told, with its ports; `url` is where its HTTP is, `metricsUrl` where its operator's is. */
export type Service = Running & { env: Env; url: string; metricsUrl: string };

const PASSED_ON = ['PATH', 'HOME', 'TMPDIR', 'NODE_EXTRA_CA_CERTS'] as const;

/**
 * Starts a service from its sources on free ports and resolves once it is ready. It knows nothing but `env`: neither our
 * variables nor a `.env` of the checkout.
 */
export async function startService(name: ServiceName, env: Env): Promise<Service> {
  const folder = tempFolder(name);
  const all: Env = { LOG_LEVEL: 'debug', ...(await ownPorts(name)), METRICS_PORT: String(await freePort()), ...env };
  const metricsUrl = `http://127.0.0.1:${all.METRICS_PORT}`;
  const running = await run({
    name,
    command: process.execPath,
    args: ['--conditions=source', join(CHECKOUT, 'services', name, 'src/main.ts')],
    cwd: folder,
    env: { ...inherited(), ...all },
    isReady: () => httpAnswers(`${metricsUrl}/readyz`),
    graceMs: 30_000,
  });
  return { ...running, env: all, url: `http://127.0.0.1:${all.RECEIVER_PORT ?? all.FRONTEND_PORT}`, metricsUrl };
}

async function ownPorts(name: ServiceName): Promise<Env> {
  if (name === 'receiver') return { RECEIVER_PORT: String(await freePort()) };
  if (name === 'frontend') return { FRONTEND_PORT: String(await freePort()) };
  if (name === 'face-recognition') return { GRPC_ADDRESS: `127.0.0.1:${await freePort()}` };
  return {};
}

function inherited(): Record<string, string> {
  return Object.fromEntries(PASSED_ON.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
}
