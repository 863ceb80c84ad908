import { silent } from '@kube-face/shared-lib/logger';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Breaker, CircuitOpenError, createBreaker } from '../src/breaker.ts';

class PhotoError extends Error {}

let service: { isReady: boolean; pings: number; calls: number; changes: boolean[] };
let breaker: Breaker;

beforeEach(() => {
  vi.useFakeTimers();
  service = { isReady: false, pings: 0, calls: 0, changes: [] };
  breaker = createBreaker({
    breakMs: 5_000,
    breakMaxMs: 60_000,
    isFailure: (error) => !(error instanceof PhotoError),
    async isReady() {
      service.pings += 1;
      return service.isReady;
    },
    onChange: (isOpen) => service.changes.push(isOpen),
    log: silent,
  });
});

afterEach(() => {
  breaker.close();
  vi.useRealTimers();
});

async function call(outcome: 'answered' | 'failed' | 'unreadable'): Promise<void> {
  await breaker
    .run(async () => {
      service.calls += 1;
      if (outcome === 'failed') throw new Error('unavailable');
      if (outcome === 'unreadable') throw new PhotoError();
    })
    .catch(() => {});
}

async function fail(times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) await call('failed');
}

test('passes on what a call answers, and what it throws', async () => {
  await expect(breaker.run(async () => 'Hannibal')).resolves.toBe('Hannibal');
  await expect(breaker.run(async () => Promise.reject(new PhotoError('unreadable')))).rejects.toThrow(PhotoError);
});

test('opens with the fifth failed call in a row', async () => {
  await fail(4);
  expect(breaker.isOpen).toBe(false);

  await fail(1);
  expect(breaker.isOpen).toBe(true);
  expect(service.changes).toEqual([true]);
});

test.each(['answered', 'unreadable'] as const)('a call that was %s ends the row', async (outcome) => {
  await fail(4);
  await call(outcome);
  await fail(4);

  expect(breaker.isOpen).toBe(false);
});

test('does not open on a percentage', async () => {
  for (let round = 0; round < 50; round += 1) {
    await fail(4);
    await call('answered');
  }

  expect(breaker.isOpen).toBe(false);
});

test('while it is open no call goes out, however long', async () => {
  await fail(5);
  await vi.advanceTimersByTimeAsync(3_600_000);

  await expect(breaker.run(async () => (service.calls += 1))).rejects.toThrow(CircuitOpenError);
  expect(service.calls).toBe(5);
});

test('pings after the break, and each break is twice as long as the last, up to the ceiling', async () => {
  await fail(5);
  const pingedAt: number[] = [];
  for (let second = 1; second <= 200; second += 1) {
    const { pings } = service;
    await vi.advanceTimersByTimeAsync(1_000);
    if (service.pings > pings) pingedAt.push(second);
  }

  expect(pingedAt).toEqual([5, 15, 35, 75, 135, 195]);
  expect(breaker.isOpen).toBe(true);
});

test('closes with the first ping that finds the service ready, and starts anew', async () => {
  await fail(5);
  await vi.advanceTimersByTimeAsync(5_000); // not ready: the next break is 10 s
  service.isReady = true;
  await vi.advanceTimersByTimeAsync(9_999);
  expect(breaker.isOpen).toBe(true);

  await vi.advanceTimersByTimeAsync(1);
  expect(breaker.isOpen).toBe(false);
  expect(service.changes).toEqual([true, false]);

  await fail(4);
  expect(breaker.isOpen).toBe(false);
  service.isReady = false;
  await fail(1);
  const { pings } = service;
  await vi.advanceTimersByTimeAsync(5_000); // the first break again
  expect(service.pings).toBe(pings + 1);
});

test('a ping that throws finds the service not ready', async () => {
  const throwing = createBreaker({
    breakMs: 1_000,
    breakMaxMs: 1_000,
    isFailure: () => true,
    isReady: () => Promise.reject(new Error('unreachable')),
    log: silent,
  });
  for (let time = 0; time < 5; time += 1) await throwing.run(() => Promise.reject(new Error('failed'))).catch(() => {});
  await vi.advanceTimersByTimeAsync(10_000);

  expect(throwing.isOpen).toBe(true);
  throwing.close();
});

test('calls that began before it opened say nothing afterwards', async () => {
  const late: (() => void)[] = [];
  const calls = Array.from({ length: 8 }, () =>
    breaker.run(() => new Promise<void>((_resolve, reject) => late.push(() => reject(new Error('deadline'))))).catch(() => {}),
  );
  await fail(5);
  service.isReady = true;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(breaker.isOpen).toBe(false);

  for (const one of late) one();
  await Promise.all(calls);
  expect(breaker.isOpen).toBe(false);
});

test('no ping after it was closed', async () => {
  await fail(5);
  breaker.close();
  await vi.advanceTimersByTimeAsync(600_000);

  expect(service.pings).toBe(0);
});
