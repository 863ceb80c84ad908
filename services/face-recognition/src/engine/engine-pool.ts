import type { Logger } from '@kube-face/shared-lib/logger';
import { EngineError, PhotoError } from './errors.ts';
import { createPhotoQueue, type Job } from './photo-queue.ts';
import type { AnalyseOptions, Analysis, EnginePool, ModelInfo, RuntimeName } from './types.ts';
import type { WorkerMessage } from './worker-messages.ts';
import { startWorkerThread, type WorkerEvents, type WorkerThread } from './worker-thread.ts';

export type EnginePoolOptions = {
  workers: number;
  /** Photos of priority `serve` that may wait; one more is refused as `busy`. */
  queueLimit: number;
  /** Where `npm run models` put the graphs. */
  modelsDir: string;
  /** A descriptor model of the user's own: a folder with `model.json` and its `.onnx`. */
  modelDir?: string | undefined;
  /** `auto` takes the native runtime where its library loads. */
  runtime?: 'native' | 'wasm' | 'auto' | undefined;
  log: Logger;
};

// The slowest photo within the limits, a 50 megapixel PNG full of faces, takes a few seconds of one core.
const DEADLINE_MS = 30_000;

// A worker that can't start (its models are gone) is tried again ever more slowly.
const RESTART_MIN_MS = 100;
const RESTART_MAX_MS = 30_000;

/** Resolves when the first worker is ready; rejects when a worker cannot load its models. */
export async function createEnginePool({
  workers,
  queueLimit,
  modelsDir,
  modelDir,
  runtime = 'auto',
  log,
}: EnginePoolOptions): Promise<EnginePool> {
  return createPool({ workers, queueLimit, log, start: (events) => startWorkerThread({ modelsDir, modelDir, runtime }, events) });
}

type Dependencies = { workers: number; queueLimit: number; log: Logger; start(events: WorkerEvents): WorkerThread };

type Slot = { thread: WorkerThread; ready: boolean; job?: Job<Analysis>; deadline?: NodeJS.Timeout; ended?: EngineError };

export async function createPool({ workers, queueLimit, log, start }: Dependencies): Promise<EnginePool> {
  const queue = createPhotoQueue<Analysis>();
  const slots = new Set<Slot>();
  const restarts = new Set<NodeJS.Timeout>();
  const first = Promise.withResolvers<{ runtime: RuntimeName; model: ModelInfo }>();
  let isReady = false;
  let isClosed = false;
  let failures = 0;

  function addWorker(): void {
    const slot: Slot = {
      ready: false,
      thread: start({ onMessage: (message) => onMessage(slot, message), onGone: (cause) => onGone(slot, cause) }),
    };
    slots.add(slot);
  }

  function onMessage(slot: Slot, message: WorkerMessage): void {
    if (message.kind === 'ready') {
      slot.ready = true;
      failures = 0;
      isReady = true;
      first.resolve(message);
      next(slot);
      return;
    }
    const job = release(slot);
    if (message.kind === 'analysis') job?.resolve(message.analysis);
    else job?.reject(new PhotoError(message.code, message.detail));
    next(slot);
  }

  function onGone(slot: Slot, cause: Error): void {
    slots.delete(slot);
    release(slot)?.reject(slot.ended ?? new EngineError('crashed', cause.message, { cause }));
    if (isClosed || slot.ended) return;
    if (!isReady) {
      first.reject(new Error('the engine cannot start', { cause }));
      return;
    }
    log.error({ error: cause }, 'an engine worker is gone; another is started');
    if (slot.ready) addWorker();
    else addWorkerLater();
  }

  function addWorkerLater(): void {
    const delayMs = Math.min(RESTART_MAX_MS, RESTART_MIN_MS * 2 ** failures++);
    const timer = setTimeout(() => {
      restarts.delete(timer);
      addWorker();
    }, delayMs);
    restarts.add(timer);
  }

  function next(slot: Slot): void {
    if (!slot.ready || slot.job || slot.ended || isClosed) return;
    const job = queue.take();
    if (!job) return;
    slot.job = job;
    slot.deadline = setTimeout(() => onDeadline(slot, job), job.deadlineMs);
    job.onStart?.();
    slot.thread.send({ photo: own(job.photo), known: job.known });
  }

  function release(slot: Slot): Job<Analysis> | undefined {
    clearTimeout(slot.deadline);
    const { job } = slot;
    delete slot.job;
    return job;
  }

  /** The photo fails at once; its thread may take a while to go, as a decoder cannot be interrupted. */
  function onDeadline(slot: Slot, job: Job<Analysis>): void {
    log.error({ deadlineMs: job.deadlineMs }, 'a photo took too long; its engine worker is replaced');
    slot.ended = new EngineError('timeout', `the photo took longer than ${job.deadlineMs} ms`);
    slots.delete(slot);
    release(slot)?.reject(slot.ended);
    void slot.thread.end();
    addWorker();
  }

  function analyse(photo: Uint8Array, options: AnalyseOptions = {}): Promise<Analysis> {
    const { signal, deadlineMs = DEADLINE_MS, priority = 'serve', known = false, onStart } = options;
    if (isClosed) return Promise.reject(new EngineError('closed', 'the service is shutting down'));
    if (signal?.aborted) return Promise.reject(signal.reason);
    const idle = [...slots].find((slot) => slot.ready && !slot.job);
    if (!idle && priority === 'serve' && queue.serving >= queueLimit) {
      return Promise.reject(new EngineError('busy', `${workers} workers have work and ${queue.serving} photos wait`));
    }
    const { promise, resolve, reject } = Promise.withResolvers<Analysis>();
    const job: Job<Analysis> = { photo, known, priority, deadlineMs, onStart, resolve, reject };
    const onAbort = () => {
      queue.remove(job);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    queue.add(job);
    if (idle) next(idle);
    return promise.finally(() => signal?.removeEventListener('abort', onAbort));
  }

  async function close(): Promise<void> {
    isClosed = true;
    for (const timer of restarts) clearTimeout(timer);
    const closed = new EngineError('closed', 'the service is shutting down');
    for (let job = queue.take(); job; job = queue.take()) job.reject(closed);
    await Promise.all(
      [...slots].map(async (slot) => {
        slot.ended = closed;
        release(slot)?.reject(closed);
        await slot.thread.end();
      }),
    );
  }

  for (let i = 0; i < workers; i++) addWorker();
  const { runtime, model } = await first.promise.catch(async (error: unknown) => {
    await close();
    throw error;
  });
  log.info({ runtime, model: model.name, workers }, 'engine is ready');

  return {
    model,
    runtime,
    workers,
    queueLimit,
    get busy() {
      return [...slots].filter((slot) => slot.job).length;
    },
    get queued() {
      return queue.size;
    },
    analyse,
    close,
  };
}

/** The bytes in a buffer of their own, which can be handed to another thread; copied only where they share one with others. */
function own(photo: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = photo;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) return new Uint8Array(buffer);
  return Uint8Array.from(photo);
}
