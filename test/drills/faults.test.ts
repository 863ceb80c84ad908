import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { DRILLS } from './faults.ts';
import { startFlow } from './flow.ts';
import { type Redeemers, startRedeemers } from './redeemers.ts';
import { judge, report } from './verdict.ts';
import { startWorld, type World } from './world.ts';

const AFTER_MS = 2_000;
const PER_SECOND = 8;

let world: World;
let redeemers: Redeemers;

beforeAll(async () => {
  world = await startWorld();
  redeemers = startRedeemers(world, 1);
});

afterAll(async () => {
  await redeemers?.stop();
  await world?.stop();
});

const drills = process.env.KUBE_FACE_DRILLS === 'short' ? DRILLS.filter(({ isShort }) => isShort) : DRILLS;

test.each(drills)('$name: every accepted photo is done, once', async ({ name, perSecond = PER_SECOND, fault }) => {
  const flow = startFlow(world, name.replaceAll(/\W+/g, '-'), { perSecond });
  let faultEndedAt = 0;
  try {
    await vi.waitFor(() => expect(flow.accepted.length).toBeGreaterThan(PER_SECOND), { timeout: 30_000 });
    await fault(world);
    faultEndedAt = Date.now();
    await delay(AFTER_MS);
  } finally {
    await flow.stop(); // a drill that fails leaves the next one a quiet system
  }

  process.stdout.write(report(await judge(world, name, flow, faultEndedAt)));
});
