import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { StoppedError, stopRequest } from '../system/stop-request.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function fakeProcess() {
  const exits: number[] = [];
  const us = Object.assign(new EventEmitter(), { ppid: 100, exit: (code: number) => void exits.push(code) });
  return { us, exits, stopping: stopRequest(us) };
}

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'])('%s asks us to stop', (signal) => {
  const { us, stopping } = fakeProcess();
  expect(stopping.aborted).toBe(false);
  us.emit(signal);
  expect(stopping.aborted).toBe(true);
  expect(stopping.reason).toBeInstanceOf(StoppedError);
});

test('one Ctrl-C that arrives twice, through the terminal and through npm, is one', () => {
  const { us, exits } = fakeProcess();
  us.emit('SIGINT');
  vi.advanceTimersByTime(200);
  us.emit('SIGINT');
  expect(exits).toEqual([]);
});

test('a second Ctrl-C means at once', () => {
  const { us, exits } = fakeProcess();
  us.emit('SIGINT');
  vi.advanceTimersByTime(1_500);
  us.emit('SIGINT');
  expect(exits).toEqual([130]);
});

test('the end of the process that started us asks us to stop', () => {
  const { us, stopping } = fakeProcess();
  vi.advanceTimersByTime(5_000);
  expect(stopping.aborted).toBe(false);
  us.ppid = 1;
  vi.advanceTimersByTime(1_000);
  expect(stopping.aborted).toBe(true);
});
