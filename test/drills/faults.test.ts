import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createFaceClient, FaceServiceError } from '../../services/image-processor/src/face-client.ts';
import type { Running } from '../harness/running.ts';
import type { Service } from '../harness/service.ts';
import { startFlow } from './flow.ts';
import { type Redeemers, startRedeemers } from './redeemers.ts';
import { judge, report } from './verdict.ts';
import { loseMessages, startWorld, TIMES, type World } from './world.ts';

const BEFORE_MS = 2_000;
const DOWN_MS = 3_000;
const AFTER_MS = 2_000;
const PER_SECOND = 8;
const SLOW_MS = 150; // each answer of MySQL
const LEASE_MS = Number(TIMES.LEASE_MS);

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

async function killAndRestart(part: Running): Promise<void> {
  await part.kill();
  await delay(DOWN_MS);
  await part.start();
}

async function stopAndRestart(part: Running): Promise<void> {
  expect(await part.stop()).toBe(0);
  await delay(DOWN_MS);
  await part.start();
}

async function freeze(part: Running, ms: number): Promise<void> {
  await part.kill('SIGSTOP');
  await delay(ms);
  await part.kill('SIGCONT');
}

/** Runs `work` beside a second processor, which is stopped afterwards. */
async function withSecondProcessor(work: (second: Service) => Promise<void>): Promise<void> {
  const second = await world.startProcessor();
  try {
    await work(second);
  } finally {
    if (!second.hasEnded()) await second.stop();
  }
}

/** Calls face recognition past the queue, as many at once as keep it full, until `signal` says so. Tells how often it refused. */
async function crowd(signal: AbortSignal): Promise<number> {
  const client = createFaceClient({ address: world.env.GRPC_ADDRESS ?? '', callTimeoutMs: 10_000 });
  const { path } = await world.photos.next('crowd');
  let refused = 0;
  async function callAgainAndAgain(): Promise<void> {
    while (!signal.aborted) {
      try {
        await client.identify(path, { signal });
      } catch (error) {
        if (error instanceof FaceServiceError && error.code === 'exhausted') refused += 1;
        await delay(5);
      }
    }
  }
  await Promise.all(Array.from({ length: 12 }, callAgainAndAgain));
  client.close();
  return refused;
}

async function putBackTotal(reason: string): Promise<number> {
  const text = await (await fetch(`${world.processor.metricsUrl}/metrics`)).text();
  return Number(new RegExp(`photos_put_back_total\\{[^}]*reason="${reason}"[^}]*\\} (\\d+)`).exec(text)?.[1] ?? 0);
}

type Drill = { name: string; isShort?: true; perSecond?: number; fault: () => Promise<void> };

const DRILLS: Drill[] = [
  { name: 'receiver killed', isShort: true, fault: () => killAndRestart(world.receiver) },
  { name: 'processor killed', isShort: true, fault: () => killAndRestart(world.processor) },
  { name: 'face-recognition killed', isShort: true, fault: () => killAndRestart(world.recognition) },
  { name: 'nsqd killed', isShort: true, fault: () => killAndRestart(world.nsqd) },
  { name: 'nsqlookupd killed', fault: () => killAndRestart(world.nsqlookupd) },
  { name: 'mysql killed', isShort: true, fault: () => killAndRestart(world.mysql) },
  { name: 'mysql stopped', fault: () => stopAndRestart(world.mysql) },
  { name: 'mysql frozen', fault: () => freeze(world.mysql, 12_000) }, // longer than a statement may take
  {
    name: 'mysql failed over to another address',
    isShort: true,
    async fault() {
      await world.mysql.kill();
      await world.wayToMysql.failOver();
      await delay(DOWN_MS);
      await world.mysql.start();
    },
  },
  { name: 'receiver stopped', fault: () => stopAndRestart(world.receiver) },
  {
    name: 'processor stopped',
    isShort: true,
    async fault() {
      expect(await world.processor.stop()).toBe(0);
      const rows = await world.database.query('select id from images where status = 3');
      expect(rows).toEqual([]);
      await delay(DOWN_MS);
      await world.processor.start();
    },
  },
  { name: 'face-recognition stopped', fault: () => stopAndRestart(world.recognition) },
  { name: 'face-recognition frozen', fault: () => freeze(world.recognition, 10_000) },
  { name: 'nsqd frozen', fault: () => freeze(world.nsqd, 5_000) },
  {
    name: 'mysql slow',
    async fault() {
      world.wayToMysql.proxy.delayMs = SLOW_MS;
      await delay(10_000);
      world.wayToMysql.proxy.delayMs = 0;
    },
  },
  {
    name: 'every connection to mysql cut',
    async fault() {
      for (let cut = 0; cut < 20; cut += 1) {
        world.wayToMysql.proxy.cut();
        await delay(200);
      }
    },
  },
  {
    name: 'face-recognition full',
    async fault() {
      const before = await putBackTotal('exhausted');
      const leaving = new AbortController();
      const refused = crowd(leaving.signal);
      try {
        await vi.waitFor(async () => expect(await putBackTotal('exhausted')).toBeGreaterThan(before), {
          timeout: 60_000,
          interval: 200,
        });
        await delay(DOWN_MS);
      } finally {
        leaving.abort();
      }
      expect(await refused).toBeGreaterThan(0);
    },
  },
  {
    name: 'two processors and two redeemers, one killed',
    perSecond: 20,
    async fault() {
      const more = startRedeemers(world, 1);
      await withSecondProcessor(async (second) => {
        await delay(DOWN_MS);
        await second.kill();
        await delay(DOWN_MS);
      });
      await more.stop();
    },
  },
  {
    name: 'one of two processors frozen beyond its leases',
    async fault() {
      await withSecondProcessor(async (second) => {
        await delay(BEFORE_MS);
        await freeze(second, LEASE_MS * 3);
        await delay(DOWN_MS);
      });
    },
  },
  {
    name: 'nsqd with its data lost',
    isShort: true,
    async fault() {
      await world.recognition.kill('SIGSTOP'); // so that ids wait in nsqd
      await delay(BEFORE_MS);
      await world.nsqd.kill();
      loseMessages(world);
      await world.recognition.kill('SIGCONT');
      await world.nsqd.start();
    },
  },
  {
    name: 'everything killed at once',
    async fault() {
      const parts = [world.receiver, world.processor, world.recognition, world.nsqd, world.nsqlookupd, world.mysql];
      await Promise.all(parts.map((part) => part.kill()));
      await delay(DOWN_MS);
      for (const part of parts) await part.start(); // the receiver first, MySQL last
    },
  },
];

const drills = process.env.KUBE_FACE_DRILLS === 'short' ? DRILLS.filter(({ isShort }) => isShort) : DRILLS;

test.each(drills)('$name: every accepted photo is done, once', async ({ name, perSecond = PER_SECOND, fault }) => {
  const flow = startFlow(world, name.replaceAll(/\W+/g, '-'), { perSecond });
  let faultEndedAt = 0;
  try {
    await vi.waitFor(() => expect(flow.accepted.length).toBeGreaterThan(PER_SECOND), { timeout: 30_000 });
    await fault();
    faultEndedAt = Date.now();
    await delay(AFTER_MS);
  } finally {
    await flow.stop(); // a drill that fails leaves the next one a quiet system
  }

  process.stdout.write(report(await judge(world, name, flow, faultEndedAt)));
});
