import { EventEmitter } from 'node:events';
import { expect, test, vi } from 'vitest';
import { createLifecycle } from '../src/lifecycle.ts';
import { silent } from '../src/logger.ts';

test('closes what was registered last first, each after the one before it has closed', async () => {
  const closed: string[] = [];
  const lifecycle = createLifecycle({ log: silent, graceMs: 1_000 });
  lifecycle.onClose('pool', () => closed.push('pool'));
  lifecycle.onClose('consumer', async () => {
    await Promise.resolve();
    closed.push('consumer');
  });

  expect(await lifecycle.close()).toBe(true);
  expect(closed).toEqual(['consumer', 'pool']);
});

test('closes once however often it is asked, and says so from the first time on', async () => {
  let times = 0;
  const lifecycle = createLifecycle({ log: silent, graceMs: 1_000 });
  lifecycle.onClose('pool', () => (times += 1));
  expect(lifecycle.isClosing).toBe(false);

  const both = [lifecycle.close(), lifecycle.close()];

  expect(lifecycle.isClosing).toBe(true);
  await Promise.all(both);
  expect(times).toBe(1);
});

test('one that cannot close does not keep the others open', async () => {
  const closed: string[] = [];
  const lifecycle = createLifecycle({ log: silent, graceMs: 1_000 });
  lifecycle.onClose('pool', () => closed.push('pool'));
  lifecycle.onClose('broken', () => {
    throw new Error('no');
  });

  expect(await lifecycle.close()).toBe(false);
  expect(closed).toEqual(['pool']);
});

test('gives up when the grace is over', async () => {
  vi.useFakeTimers();
  const lifecycle = createLifecycle({ log: silent, graceMs: 5_000 });
  lifecycle.onClose('hangs', () => new Promise(() => {}));
  let result: boolean | undefined;
  void lifecycle.close().then((clean) => (result = clean));

  await vi.advanceTimersByTimeAsync(4_999);
  expect(result).toBeUndefined();
  await vi.advanceTimersByTimeAsync(1);
  expect(result).toBe(false);
  vi.useRealTimers();
});

test('a signal closes and then exits with 0', async () => {
  const signals = new EventEmitter();
  const exited = new Promise<number>((resolve) => {
    const lifecycle = createLifecycle({ log: silent, graceMs: 1_000 });
    lifecycle.closeOnSignals({ once: (signal, listener) => signals.once(signal, listener), exit: resolve });
  });
  signals.emit('SIGTERM');
  expect(await exited).toBe(0);
});
