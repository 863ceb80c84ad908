import { execFile, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';

type Result = { code: number; stdout: string; stderr: string };

/** Runs a program to its end and keeps what it said; a code other than 0 is an answer, not an error. */
export function run(
  program: string,
  args: readonly string[],
  options: { input?: string; timeoutMs?: number } = {},
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      { maxBuffer: 256 * 1024 * 1024, timeout: options.timeoutMs ?? 300_000, encoding: 'utf8' },
      (error, stdout, stderr) => {
        if (error && typeof error.code !== 'number' && !error.killed) return reject(error); // it cannot be run at all
        resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr });
      },
    );
    child.stdin?.end(options.input ?? '');
  });
}

/** Runs a program whose output whoever watches sees; throws where it fails. */
export function runAloud(program: string, args: readonly string[], cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    spawn(program, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] })
      .once('error', reject)
      .once('exit', (code) =>
        code === 0 ? resolve() : reject(new Error(`${program} ${args.join(' ')} ended with code ${code}`)),
      );
  });
}

export type Pod = {
  metadata: { name: string; deletionTimestamp?: string; labels: Record<string, string> };
  spec: { containers: { name: string; image: string }[]; nodeName?: string };
  status: {
    phase: string;
    podIP?: string;
    conditions?: { type: string; status: string }[];
    containerStatuses?: { restartCount: number }[];
  };
};

export const isReady = ({ status, metadata }: Pod): boolean =>
  metadata.deletionTimestamp === undefined &&
  (status.conditions?.some(({ type, status: state }) => type === 'Ready' && state === 'True') ?? false);

export type Kubectl = ReturnType<typeof createKubectl>;

/** kubectl in one namespace. Methods throw what kubectl says where it fails. */
export function createKubectl(namespace: string) {
  async function call(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await run('kubectl', ['--namespace', namespace, ...args]);
    if (code !== 0) throw new Error(`kubectl ${args.slice(0, 4).join(' ')}: ${stderr.trim() || stdout.trim()}`);
    return stdout;
  }
  const json = async <T>(...args: string[]): Promise<T> => JSON.parse(await call(...args, '--output=json')) as T;

  return {
    namespace,
    call,
    json,
    async pods(app: string): Promise<Pod[]> {
      const { items } = await json<{ items: Pod[] }>('get', 'pods', `--selector=app=${app}`);
      return items;
    },
    /** Runs a script in a pod with the shell of its image. */
    exec: (target: string, container: string, script: string) =>
      call('exec', target, `--container=${container}`, '--', 'sh', '-c', script),
    rolledOut: (deployment: string, timeoutS = 180) =>
      call('rollout', 'status', `deployment/${deployment}`, `--timeout=${timeoutS}s`),
  };
}

/** Asks again and again until the answer is neither undefined nor false. A throw counts as "not yet", and is told at the end. */
export async function until<T>(
  what: string,
  withinMs: number,
  ask: () => Promise<T | undefined | false>,
  everyMs = 300,
): Promise<T> {
  const end = Date.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`not within ${Math.round(withinMs / 1000)} s: ${what}`, { cause: last });
    await delay(everyMs);
  }
}

export const secondsSince = (startedMs: number): string => `${((Date.now() - startedMs) / 1000).toFixed(1)} s`;
