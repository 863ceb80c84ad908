import type { DescribeResponseMessage } from '@kube-face/shared-lib/face-messages';
import { silent } from '@kube-face/shared-lib/logger';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FaceServiceError } from '../src/face-client.ts';
import { createFaceService, type FaceService } from '../src/face-service.ts';
import { DESCRIPTION } from './fake-face-server.ts';

let world: { answer: DescribeResponseMessage | Error; pods: number; asked: number; mayCall: boolean; capacity: number[] };
let service: FaceService;

beforeEach(() => {
  vi.useFakeTimers();
  world = { answer: DESCRIPTION, pods: 1, asked: 0, mayCall: true, capacity: [] };
  service = createFaceService({
    async describe() {
      world.asked += 1;
      if (world.answer instanceof Error) throw world.answer;
      return world.answer;
    },
    countPods: async () => world.pods,
    mayCall: () => world.mayCall,
    onCapacity: (calls) => world.capacity.push(calls),
    log: silent,
  });
});
afterEach(() => {
  service.close();
  vi.useRealTimers();
});

const unsupported = () => new FaceServiceError('unsupported', { began: false });
const away = () => new FaceServiceError('internal', { began: false });

test('tells threshold, workers of all pods and one call more for each', async () => {
  world.pods = 3;
  await service.known();

  expect(service.threshold('fake')).toBe(0.5);
  expect(service.threshold('another')).toBeUndefined();
  expect(service.tellsBegan).toBe(true);
  expect(world.capacity).toEqual([9]);
});

test('asks once when first needed, then every 5 s', async () => {
  await Promise.all([service.known(), service.known()]);
  expect(world.asked).toBe(1);

  world.answer = { ...DESCRIPTION, workers: 8 };
  await vi.advanceTimersByTimeAsync(5_000);
  expect(world.capacity.at(-1)).toBe(9);
});

test('the thresholds of two models stand side by side', async () => {
  await service.known();
  world.answer = { ...DESCRIPTION, model: 'new', threshold: 0.4 };
  await vi.advanceTimersByTimeAsync(5_000);

  expect([service.threshold('fake'), service.threshold('new')]).toEqual([0.5, 0.4]);
});

test('a service that does not describe itself is taken for the original', async () => {
  world.answer = unsupported();
  await service.known();

  expect(service.tellsBegan).toBe(false);
  expect(world.capacity).toEqual([4]);
});

test('and for ours again, once ours stands there', async () => {
  world.answer = unsupported();
  await service.known();
  world.answer = DESCRIPTION;
  await vi.advanceTimersByTimeAsync(5_000);

  expect(service.tellsBegan).toBe(true);
});

test('one that cannot be reached is asked again with the next photo, and no photo is to blame', async () => {
  world.answer = away();
  await expect(service.known()).rejects.toMatchObject({ code: 'unavailable', began: false });
  world.answer = DESCRIPTION;
  await service.known();

  expect(world.asked).toBe(2);
});

test('what was known stays while it is away', async () => {
  await service.known();
  world.answer = away();
  await vi.advanceTimersByTimeAsync(60_000);

  expect(service.threshold('fake')).toBe(0.5);
  expect(world.capacity).toEqual([3]);
});

test('no question goes out while no call may', async () => {
  await service.known();
  world.mayCall = false;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(world.asked).toBe(1);

  world.mayCall = true;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(world.asked).toBe(2);
});

test('no question after it was closed', async () => {
  await service.known();
  service.close();
  await vi.advanceTimersByTimeAsync(60_000);

  expect(world.asked).toBe(1);
});
