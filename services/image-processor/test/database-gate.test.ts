import { silent } from '@kube-face/shared-lib/logger';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createDatabaseGate, type DatabaseGate } from '../src/database-gate.ts';

let isAway: boolean;
let probes: number;
let changes: boolean[];
let gate: DatabaseGate;

beforeEach(() => {
  vi.useFakeTimers();
  isAway = true;
  probes = 0;
  changes = [];
  gate = createDatabaseGate({
    async probe() {
      probes += 1;
      if (isAway) throw new Error('away');
    },
    onChange: (isClosed) => changes.push(isClosed),
    log: silent,
  });
});
afterEach(() => {
  gate.stop();
  vi.useRealTimers();
});

test('closes once, and opens when the database answers again', async () => {
  gate.close();
  gate.close();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(gate.isClosed).toBe(true);
  expect(changes).toEqual([true]);

  isAway = false;
  await vi.advanceTimersByTimeAsync(2_000);
  expect(gate.isClosed).toBe(false);
  expect(changes).toEqual([true, false]);
});

test('asks every two seconds at the latest, and no more once it is open', async () => {
  gate.close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(probes).toBeGreaterThanOrEqual(30);

  isAway = false;
  await vi.advanceTimersByTimeAsync(2_000);
  const asked = probes;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(probes).toBe(asked);
});

test('closes again when the database goes again', async () => {
  isAway = false;
  gate.close();
  await vi.advanceTimersByTimeAsync(250);
  gate.close();

  expect(changes).toEqual([true, false, true]);
});

test('asks nothing more after it was stopped', async () => {
  gate.close();
  gate.stop();
  await vi.advanceTimersByTimeAsync(60_000);

  expect(probes).toBe(0);
});
