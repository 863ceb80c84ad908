import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { World } from './world.ts';

const REDEEMER = fileURLToPath(new URL('../../services/image-processor/src/redeemer.ts', import.meta.url));
const EVERY_MS = 1_500; // a minute, shortened

export type Redeemers = { stop(): Promise<void> };

/** So many redeemers side by side, each again and again as a CronJob runs it. */
export function startRedeemers({ env }: Pick<World, 'env'>, count: number): Redeemers {
  const stopping = new AbortController();

  async function repeat(): Promise<void> {
    while (!stopping.signal.aborted) {
      const child = spawn(process.execPath, ['--conditions=source', REDEEMER], {
        env: { PATH: process.env.PATH, ...env },
        stdio: 'ignore',
      });
      await once(child, 'exit');
      await delay(EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {}); // stopped
    }
  }

  const running = Array.from({ length: count }, repeat);
  return {
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}
