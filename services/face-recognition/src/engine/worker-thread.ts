import { Worker } from 'node:worker_threads';
import type { PhotoMessage, WorkerMessage, WorkerOptions } from './worker-messages.ts';

export type WorkerEvents = {
  onMessage(message: WorkerMessage): void;
  /** Once, when the thread is gone, whatever the reason; also after `end`. */
  onGone(cause: Error): void;
};

/** A thread with an engine, as the pool sees it. */
export type WorkerThread = { send(message: PhotoMessage): void; end(): Promise<void> };

// The photo's pixels and the networks lie outside this heap; it holds little more than the program. Left to itself its young part grows to 67 MB
// within a few thousand photos, for nothing.
const LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 8 };

// The same file from sources and from dist.
const FILE = new URL(import.meta.url.endsWith('.ts') ? './engine.worker.ts' : './engine.worker.js', import.meta.url);

export function startWorkerThread(options: WorkerOptions, { onMessage, onGone }: WorkerEvents): WorkerThread {
  const worker = new Worker(FILE, { workerData: options, name: 'engine', resourceLimits: LIMITS });
  let cause: Error | undefined;
  worker.on('message', onMessage);
  worker.on('error', (error) => {
    cause = error instanceof Error ? error : new Error(String(error));
  });
  worker.on('exit', (code) => onGone(cause ?? new Error(`the worker ended with code ${code}`)));
  return {
    send: (message) => worker.postMessage(message, [message.photo.buffer]),
    end: async () => void (await worker.terminate()),
  };
}
