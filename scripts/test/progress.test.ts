import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { step } from '../lib/progress.mjs';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function linesOf(durationMs: number): Promise<string[]> {
  const lines: string[] = [];
  const work = () => new Promise<string>((resolve) => setTimeout(() => resolve('result'), durationMs));
  const result = step('building', work, (line) => void lines.push(line));
  await vi.advanceTimersByTimeAsync(durationMs);
  expect(await result).toBe('result');
  return lines;
}

test('what is quick says nothing', async () => {
  expect(await linesOf(1_900)).toEqual([]);
});

test('what takes more than two seconds says so, goes on saying so, and says when it is done', async () => {
  expect(await linesOf(13_500)).toEqual(['building ...', 'building: 12.0 s so far', 'building: done in 13.5 s']);
});

test('a failure is passed on, and nothing more is said', async () => {
  const lines: string[] = [];
  const failing = step(
    'building',
    () => Promise.reject(new Error('no')),
    (line) => void lines.push(line),
  );
  await expect(failing).rejects.toThrow('no');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(lines).toEqual([]);
});
