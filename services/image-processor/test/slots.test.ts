import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createSlots, type Slots } from '../src/slots.ts';

const never = new AbortController().signal;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Asks for so many slots, and tells which have been given. */
function ask(slots: Slots, calls: number, signal = never) {
  const given: (() => void)[] = [];
  const refused: unknown[] = [];
  for (let call = 0; call < calls; call += 1) {
    void slots.acquire(signal).then(
      (release) => given.push(release),
      (reason) => refused.push(reason),
    );
  }
  return { given, refused };
}

async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

test('no more calls at once than the service can work on', async () => {
  const slots = createSlots({ ceiling: 3 });
  const { given } = ask(slots, 5);
  await settle();
  expect(given).toHaveLength(3);

  given[0]?.();
  await settle();
  expect(given).toHaveLength(4);
});

test('a slot is given back once, however often that is said', async () => {
  const slots = createSlots({ ceiling: 1 });
  const { given } = ask(slots, 3);
  await settle();
  given[0]?.();
  given[0]?.();
  await settle();

  expect(given).toHaveLength(2);
  expect(slots.inUse).toBe(1);
});

test('what the service gains is used at once, what it loses is not exceeded', async () => {
  const slots = createSlots({ ceiling: 2 });
  const { given } = ask(slots, 9);
  await settle();
  slots.setCeiling(5);
  await settle();
  expect(given).toHaveLength(5);

  slots.setCeiling(1);
  for (const release of given.slice(0, 4)) release();
  await settle();
  expect(given).toHaveLength(5);
  expect(slots.limit).toBe(1);
});

test('a refusal halves the calls, and none starts for a moment', async () => {
  const slots = createSlots({ ceiling: 8 });
  slots.exhausted();
  slots.exhausted(); // went out together with the first
  expect(slots.limit).toBe(4);

  const { given } = ask(slots, 9);
  await vi.advanceTimersByTimeAsync(99);
  expect(given).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(given).toHaveLength(4);
});

test('refusals in a row wait longer, up to a second, and never stop all calls', async () => {
  const slots = createSlots({ ceiling: 8 });
  const waits: number[] = [];
  for (let refusal = 0; refusal < 6; refusal += 1) {
    slots.exhausted();
    const { given } = ask(slots, 1);
    let waited = 0;
    while (given.length === 0) {
      await vi.advanceTimersByTimeAsync(100);
      waited += 100;
    }
    given[0]?.();
    waits.push(waited);
  }

  expect(waits).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  expect(slots.limit).toBe(1);
});

test('answers raise the calls again, up to what the service can work on', async () => {
  const slots = createSlots({ ceiling: 4 });
  slots.exhausted();
  await vi.advanceTimersByTimeAsync(100);
  expect(slots.limit).toBe(2);

  for (let answer = 0; answer < 6; answer += 1) slots.succeeded();
  expect(slots.limit).toBe(4);

  for (let answer = 0; answer < 100; answer += 1) slots.succeeded();
  expect(slots.limit).toBe(4);
});

test('whoever waits is let go when the process stops', async () => {
  const slots = createSlots({ ceiling: 1 });
  const stopping = new AbortController();
  const { given, refused } = ask(slots, 3, stopping.signal);
  await settle();
  stopping.abort('closing');
  await settle();

  expect(given).toHaveLength(1);
  expect(refused).toEqual(['closing', 'closing']);
  expect(ask(slots, 1, stopping.signal).given).toHaveLength(0);
});
