import { setImmediate } from 'node:timers/promises';
import { silent } from '@kube-face/shared-lib/logger';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { createPool } from '../../src/engine/engine-pool.ts';
import { EngineError, PhotoError } from '../../src/engine/errors.ts';
import type { Analysis, EnginePool } from '../../src/engine/types.ts';
import type { PhotoMessage, WorkerMessage } from '../../src/engine/worker-messages.ts';
import type { WorkerEvents, WorkerThread } from '../../src/engine/worker-thread.ts';

const READY: WorkerMessage = {
  kind: 'ready',
  runtime: 'onnxruntime-web',
  model: { name: 'm', length: 2, metric: 'euclidean', threshold: 1 },
};

/** A thread whose answers the test gives. */
class FakeThread implements WorkerThread {
  readonly photos: number[] = [];
  readonly messages: PhotoMessage[] = [];
  isEnded = false;
  readonly #events: WorkerEvents;

  constructor(events: WorkerEvents) {
    this.#events = events;
  }

  send(message: PhotoMessage): void {
    this.messages.push(message);
    this.photos.push(message.photo[0] ?? Number.NaN);
  }

  async end(): Promise<void> {
    this.isEnded = true;
    this.#events.onGone(new Error('ended'));
  }

  ready(): void {
    this.#events.onMessage(READY);
  }

  answer(width: number): void {
    const analysis: Analysis = { width, height: 1, faces: [], timings: {} };
    this.#events.onMessage({ kind: 'analysis', analysis });
  }

  refuse(): void {
    this.#events.onMessage({ kind: 'photo-fault', code: 'too_large', detail: 'huge' });
  }

  crash(): void {
    this.#events.onGone(new Error('out of memory'));
  }
}

async function openPool({ workers = 1, queueLimit = 10 } = {}) {
  const threads: FakeThread[] = [];
  const opening = createPool({
    workers,
    queueLimit,
    log: silent,
    start: (events) => {
      const thread = new FakeThread(events);
      threads.push(thread);
      return thread;
    },
  });
  for (const thread of threads) thread.ready();
  const pool = await opening;
  onTestFinished(() => pool.close());
  const thread = (index: number): FakeThread => {
    const found = threads[index];
    if (!found) throw new Error(`no thread ${index}`);
    return found;
  };
  return { pool, threads, thread };
}

const photo = (number: number) => Uint8Array.of(number, 0, 0);

/** Starts the analysis of some photos and keeps what became of each. */
function analyseAll(pool: EnginePool, numbers: number[], options?: Parameters<EnginePool['analyse']>[1]) {
  const outcomes = new Map<number, unknown>();
  for (const number of numbers) {
    pool.analyse(photo(number), options).then(
      ({ width }) => outcomes.set(number, width),
      (error: unknown) => outcomes.set(number, error),
    );
  }
  return outcomes;
}

/** Until all promises that can settle have. */
const settled = () => setImmediate();

afterEach(() => {
  vi.useRealTimers();
});

test('gives each worker one photo at a time, in their order', async () => {
  const { pool, thread } = await openPool({ workers: 2 });
  const outcomes = analyseAll(pool, [1, 2, 3, 4]);
  expect([thread(0).photos, thread(1).photos]).toEqual([[1], [2]]);
  expect([pool.busy, pool.queued]).toEqual([2, 2]);

  thread(1).answer(20);
  thread(0).answer(10);
  await settled();

  expect([thread(0).photos, thread(1).photos]).toEqual([
    [1, 4],
    [2, 3],
  ]);
  expect([...outcomes]).toEqual([
    [2, 20],
    [1, 10],
  ]);
});

test('serves first what somebody waits for', async () => {
  const { pool, thread } = await openPool();
  analyseAll(pool, [1, 2], { priority: 'background' });
  analyseAll(pool, [3, 4]);
  for (const width of [1, 2, 3]) thread(0).answer(width);
  expect(thread(0).photos).toEqual([1, 3, 4, 2]);
});

test('refuses as busy what would wait behind a full queue, but never what may wait', async () => {
  const { pool, thread } = await openPool({ queueLimit: 2 });
  const taken = analyseAll(pool, [1, 2, 3]);
  const started: number[] = [];

  await expect(pool.analyse(photo(4), { onStart: () => started.push(4) })).rejects.toMatchObject({ code: 'busy' });
  analyseAll(pool, [5, 6, 7], { priority: 'background' });

  expect(pool.queued).toBe(5);
  expect(taken.size).toBe(0);
  for (let i = 0; i < 5; i++) thread(0).answer(i);
  expect(thread(0).photos).toEqual([1, 2, 3, 5, 6, 7]);
  expect(started).toEqual([]);
});

test('counts only what is served against the queue', async () => {
  const { pool, thread } = await openPool({ queueLimit: 1 });
  analyseAll(pool, [1, 2, 3], { priority: 'background' });
  const outcomes = analyseAll(pool, [4]);
  await settled();
  expect(outcomes.size).toBe(0);
  thread(0).answer(1);
  expect(thread(0).photos).toEqual([1, 4]);
});

test('waits for nobody where the queue may hold nothing', async () => {
  const { pool, thread } = await openPool({ queueLimit: 0 });
  analyseAll(pool, [1]);
  expect(thread(0).photos).toEqual([1]);
  await expect(pool.analyse(photo(2))).rejects.toMatchObject({ code: 'busy' });
});

test('says when a photo is begun', async () => {
  const { pool, thread } = await openPool();
  const begun: number[] = [];
  for (const number of [1, 2]) void pool.analyse(photo(number), { onStart: () => begun.push(number) }).catch(() => {});
  expect(begun).toEqual([1]);
  thread(0).answer(1);
  expect(begun).toEqual([1, 2]);
});

test('passes on that a photo is at fault, and goes on with the worker', async () => {
  const { pool, thread, threads } = await openPool();
  const outcomes = analyseAll(pool, [1, 2]);
  thread(0).refuse();
  await settled();
  expect(outcomes.get(1)).toBeInstanceOf(PhotoError);
  expect(outcomes.get(1)).toMatchObject({ code: 'too_large', detail: 'huge' });
  expect(thread(0).photos).toEqual([1, 2]);
  expect(threads).toHaveLength(1);
});

test('replaces a worker that crashed, at the cost of its photo alone', async () => {
  const { pool, thread } = await openPool();
  const outcomes = analyseAll(pool, [1, 2]);

  thread(0).crash();
  await settled();
  expect(outcomes.get(1)).toBeInstanceOf(EngineError);
  expect(outcomes.get(1)).toMatchObject({ code: 'crashed' });

  thread(1).ready();
  thread(1).answer(2);
  await settled();
  expect(thread(1).photos).toEqual([2]);
  expect(outcomes.get(2)).toBe(2);
});

test('replaces a worker whose photo takes too long', async () => {
  vi.useFakeTimers();
  const { pool, thread } = await openPool();
  const outcomes = analyseAll(pool, [1, 2], { deadlineMs: 1_000 });

  await vi.advanceTimersByTimeAsync(999);
  expect(outcomes.size).toBe(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(outcomes.get(1)).toMatchObject({ code: 'timeout' });
  expect(thread(0).isEnded).toBe(true);

  thread(1).ready();
  thread(1).answer(2);
  await settled();
  expect(outcomes.get(2)).toBe(2);
  expect(pool.busy).toBe(0);
});

test('counts the deadline from the moment when the photo is begun', async () => {
  vi.useFakeTimers();
  const { pool, thread } = await openPool();
  const outcomes = analyseAll(pool, [1, 2], { deadlineMs: 1_000 });
  await vi.advanceTimersByTimeAsync(900);
  thread(0).answer(1);
  await vi.advanceTimersByTimeAsync(900);
  expect([...outcomes]).toEqual([[1, 1]]);
});

test('starts a worker that cannot start again ever more slowly', async () => {
  vi.useFakeTimers();
  const { pool, thread, threads } = await openPool();
  thread(0).crash();
  expect(threads).toHaveLength(2);
  thread(1).crash(); // before it was ready
  expect(threads).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(100);
  expect(threads).toHaveLength(3);
  thread(2).crash();
  await vi.advanceTimersByTimeAsync(100);
  expect(threads).toHaveLength(3);
  await vi.advanceTimersByTimeAsync(100);
  expect(threads).toHaveLength(4);

  const outcomes = analyseAll(pool, [1]);
  thread(3).ready();
  thread(3).answer(7);
  await vi.advanceTimersByTimeAsync(0);
  expect(outcomes.get(1)).toBe(7);
});

test('fails when the first worker cannot start, and leaves none behind', async () => {
  const threads: FakeThread[] = [];
  const opening = createPool({
    workers: 2,
    queueLimit: 1,
    log: silent,
    start: (events) => {
      const thread = new FakeThread(events);
      threads.push(thread);
      return thread;
    },
  });
  threads[0]?.crash();
  await expect(opening).rejects.toThrow('the engine cannot start');
  expect(threads).toHaveLength(2);
  expect(threads[1]?.isEnded).toBe(true);
});

test('takes a photo out of the queue whose caller gave up', async () => {
  const { pool, thread } = await openPool();
  analyseAll(pool, [1]);
  const giveUp = new AbortController();
  const outcomes = analyseAll(pool, [2], { signal: giveUp.signal });
  analyseAll(pool, [3]);

  giveUp.abort(new Error('gone'));
  await settled();

  expect(outcomes.get(2)).toMatchObject({ message: 'gone' });
  expect(pool.queued).toBe(1);
  thread(0).answer(1);
  expect(thread(0).photos).toEqual([1, 3]);
});

test('finishes a photo whose caller gave up, and goes on', async () => {
  const { pool, thread } = await openPool();
  const giveUp = new AbortController();
  const outcomes = analyseAll(pool, [1], { signal: giveUp.signal });
  analyseAll(pool, [2]);
  giveUp.abort(new Error('gone'));
  await settled();
  expect(outcomes.get(1)).toMatchObject({ message: 'gone' });
  expect(thread(0).photos).toEqual([1]);
  thread(0).answer(1);
  expect(thread(0).photos).toEqual([1, 2]);
});

test('does not begin a photo whose caller has given up already', async () => {
  const { pool, thread } = await openPool();
  await expect(pool.analyse(photo(1), { signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow('gone');
  expect(thread(0).photos).toEqual([]);
});

test('hands over the bytes themselves, and copies those that share their memory with others', async () => {
  const { pool, thread } = await openPool();
  const alone = photo(1);
  const shared = new Uint8Array(10).subarray(2, 5);
  shared[0] = 2;
  void pool.analyse(alone, { known: true }).catch(() => {});
  thread(0).answer(1);
  void pool.analyse(shared).catch(() => {});

  const [first, second] = thread(0).messages;
  expect(first?.photo.buffer).toBe(alone.buffer);
  expect(second?.photo.buffer).not.toBe(shared.buffer);
  expect(second?.photo).toEqual(shared);
  expect([first?.known, second?.known]).toEqual([true, false]);
});

test('fails whatever is in hand, waits, or comes later once it is closed', async () => {
  const { pool, threads } = await openPool();
  const outcomes = analyseAll(pool, [1, 2]);
  await pool.close();
  await settled();
  expect([...outcomes.values()]).toMatchObject([{ code: 'closed' }, { code: 'closed' }]);
  await expect(pool.analyse(photo(3))).rejects.toMatchObject({ code: 'closed' });
  expect(threads).toHaveLength(1);
});
