import { setTimeout as delay } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import { createFaceClient, FaceServiceError } from '../../services/image-processor/src/face-client.ts';
import type { Running } from '../harness/running.ts';
import type { Service } from '../harness/service.ts';
import { startRedeemers } from './redeemers.ts';
import { loseMessages, TIMES, type World } from './world.ts';

const BEFORE_MS = 2_000;
const DOWN_MS = 3_000;
const SLOW_MS = 150; // each answer of MySQL
const LEASE_MS = Number(TIMES.LEASE_MS);

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
async function withSecondProcessor(world: World, work: (second: Service) => Promise<void>): Promise<void> {
  const second = await world.startProcessor();
  try {
    await work(second);
  } finally {
    if (!second.hasEnded()) await second.stop();
  }
}

/** Calls face recognition past the queue, as many at once as keep it full, until `signal` says so. Tells how often it refused. */
async function crowd(world: World, signal: AbortSignal): Promise<number> {
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

async function putBackTotal({ processor }: World, reason: string): Promise<number> {
  const text = await (await fetch(`${processor.metricsUrl}/metrics`)).text();
  return Number(new RegExp(`photos_put_back_total\\{[^}]*reason="${reason}"[^}]*\\} (\\d+)`).exec(text)?.[1] ?? 0);
}

/** A fault, under so many photos a second; it is over when `fault` resolves. */
export type Drill = { name: string; isShort?: true; perSecond?: number; fault: (world: World) => Promise<void> };

export const DRILLS: Drill[] = [
  { name: 'receiver killed', isShort: true, fault: (world) => killAndRestart(world.receiver) },
  { name: 'processor killed', isShort: true, fault: (world) => killAndRestart(world.processor) },
  { name: 'face-recognition killed', isShort: true, fault: (world) => killAndRestart(world.recognition) },
  { name: 'nsqd killed', isShort: true, fault: (world) => killAndRestart(world.nsqd) },
  { name: 'nsqlookupd killed', fault: (world) => killAndRestart(world.nsqlookupd) },
  { name: 'mysql killed', isShort: true, fault: (world) => killAndRestart(world.mysql) },
  { name: 'mysql stopped', fault: (world) => stopAndRestart(world.mysql) },
  { name: 'mysql frozen', fault: (world) => freeze(world.mysql, 12_000) }, // longer than a statement may take
  {
    name: 'mysql failed over to another address',
    isShort: true,
    async fault(world) {
      await world.mysql.kill();
      await world.wayToMysql.failOver();
      await delay(DOWN_MS);
      await world.mysql.start();
    },
  },
  { name: 'receiver stopped', fault: (world) => stopAndRestart(world.receiver) },
  {
    name: 'processor stopped',
    isShort: true,
    async fault(world) {
      expect(await world.processor.stop()).toBe(0);
      const rows = await world.database.query('select id from images where status = 3');
      expect(rows).toEqual([]);
      await delay(DOWN_MS);
      await world.processor.start();
    },
  },
  { name: 'face-recognition stopped', fault: (world) => stopAndRestart(world.recognition) },
  { name: 'face-recognition frozen', fault: (world) => freeze(world.recognition, 10_000) },
  { name: 'nsqd frozen', fault: (world) => freeze(world.nsqd, 5_000) },
  {
    name: 'mysql slow',
    async fault(world) {
      world.wayToMysql.proxy.delayMs = SLOW_MS;
      await delay(10_000);
      world.wayToMysql.proxy.delayMs = 0;
    },
  },
  {
    name: 'every connection to mysql cut',
    async fault(world) {
      for (let cut = 0; cut < 20; cut += 1) {
        world.wayToMysql.proxy.cut();
        await delay(200);
      }
    },
  },
  {
    name: 'face-recognition full',
    async fault(world) {
      const before = await putBackTotal(world, 'exhausted');
      const leaving = new AbortController();
      const refused = crowd(world, leaving.signal);
      try {
        await vi.waitFor(async () => expect(await putBackTotal(world, 'exhausted')).toBeGreaterThan(before), {
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
    async fault(world) {
      const more = startRedeemers(world, 1);
      await withSecondProcessor(world, async (second) => {
        await delay(DOWN_MS);
        await second.kill();
        await delay(DOWN_MS);
      });
      await more.stop();
    },
  },
  {
    name: 'one of two processors frozen beyond its leases',
    async fault(world) {
      await withSecondProcessor(world, async (second) => {
        await delay(BEFORE_MS);
        await freeze(second, LEASE_MS * 3);
        await delay(DOWN_MS);
      });
    },
  },
  {
    name: 'nsqd with its data lost',
    isShort: true,
    async fault(world) {
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
    async fault(world) {
      const parts = [world.receiver, world.processor, world.recognition, world.nsqd, world.nsqlookupd, world.mysql];
      await Promise.all(parts.map((part) => part.kill()));
      await delay(DOWN_MS);
      for (const part of parts) await part.start(); // the receiver first, MySQL last
    },
  },
];
