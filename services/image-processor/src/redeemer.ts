import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ConfigError, withEnvFile } from '@kube-face/shared-lib/env';
import { createLogger } from '@kube-face/shared-lib/logger';
import { migrate } from '@kube-face/shared-lib/migrate';
import { createDatabase } from '@kube-face/shared-lib/mysql';
import { createImagePublisher } from '@kube-face/shared-lib/nsq-publisher';
import { nsqdName } from '@kube-face/shared-lib/nsqd-name';
import { startTracing } from '@kube-face/shared-lib/tracing';
import { createQueueState } from './queue-state.ts';
import { previewRedeem, redeem } from './redeem.ts';
import { createRedeemStore } from './redeem-store.ts';
import { loadRedeemerConfig, type RedeemerConfig } from './redeemer-config.ts';

const SETTLE_MS = 15_000; // a publish takes 2 s at the most, the mark half a second more, and under a flood some
const LOOK_AGAIN_MS = 250;
const RECONNECT_MS = 16_000; // nsqd looks for its nsqlookupd every 15 s

function readConfig(): RedeemerConfig {
  try {
    return loadRedeemerConfig(withEnvFile(process.env));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    createLogger('redeemer').fatal(error.message);
    process.exit(1);
  }
}

// `redeemer [--dry-run]`: one run; exits 0, or 1 where it could not do all of it.
const { values: options } = parseArgs({ options: { 'dry-run': { type: 'boolean', default: false } } });
const config = readConfig();
const { redeemAfterMs, producerAddress, lookupAddresses } = config;
const log = createLogger('redeemer', config.logLevel);
const database = createDatabase(config.mysql, { connections: 2, statementTimeoutMs: 30_000 });
const store = createRedeemStore(database, { settleMs: Math.min(SETTLE_MS, redeemAfterMs), staleMs: redeemAfterMs });
const queue = createQueueState({
  lookupAddresses,
  wait: () => delay(Math.min(RECONNECT_MS, redeemAfterMs)),
  pause: () => delay(LOOK_AGAIN_MS),
  log,
});

async function preview(): Promise<void> {
  let photos = 0;
  for await (const { id, path, reason } of previewRedeem({ store, queue, redeemAfterMs })) {
    photos += 1;
    process.stdout.write(`would put back ${id} ${JSON.stringify(path)}: ${reason}\n`);
  }
  process.stdout.write(`would put back ${photos} photos in all\n`);
}

async function run(): Promise<void> {
  const tracer = await startTracing({ service: 'redeemer', endpoint: config.tracesEndpoint, log });
  const publisher = createImagePublisher({ address: producerAddress, log });
  try {
    await tracer.span('put back what was left behind', {}, async ({ traceId, setAttributes }) => {
      await migrate(database, log);
      const redeemed = await redeem({
        store,
        queue,
        publish: (ids) => publisher.publish(ids),
        nsqd: nsqdName(producerAddress),
        redeemAfterMs,
        log,
      });
      setAttributes(redeemed);
      log.info({ redeemed, traceId }, 'done');
    });
  } finally {
    await publisher.close();
    await tracer.close();
  }
}

try {
  await (options['dry-run'] ? preview() : run());
} catch (error) {
  log.error({ error }, 'could not put everything back; the next run goes on');
  process.exitCode = 1;
} finally {
  await database.close();
}
