import { createHash } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type AnalyseOptions, type Analysis, EngineError, type EnginePool, PhotoError } from '../src/engine/engine.ts';

export const FAKE_MODEL = { name: 'fake', length: 4, metric: 'euclidean', threshold: 0.5 } as const;

/** A photo for the fake engine: its faces' descriptors, largest first. */
export function photoOf(...descriptors: number[][]): string {
  return JSON.stringify(descriptors);
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

export type FakeEngine = EnginePool & {
  /** Texts of the photos that were begun, in order. */
  readonly begun: string[];
  /** Until it is called, photos that are begun stay unfinished. */
  hold(): () => void;
};

/**
 * An engine whose photos are JSON: an array of descriptors. `"crash"` and `"timeout"` take the worker down; what is no JSON can't
 * be read.
 */
export function fakeEngine({ workers = 2 } = {}): FakeEngine {
  const begun: string[] = [];
  const waiting = new Set<() => void>();
  let gate = Promise.resolve();
  let busy = 0;
  let isClosed = false;

  function freeWorker(signal?: AbortSignal): Promise<void> {
    if (busy < workers) return Promise.resolve();
    return new Promise((resolve, reject) => {
      waiting.add(resolve);
      signal?.addEventListener('abort', () => {
        waiting.delete(resolve);
        reject(signal.reason);
      });
    });
  }

  function result(text: string): Analysis {
    if (text === '"crash"') throw new EngineError('crashed', 'out of memory');
    if (text === '"timeout"') throw new EngineError('timeout', 'too slow');
    let descriptors: number[][];
    try {
      descriptors = JSON.parse(text) as number[][];
    } catch (cause) {
      throw new PhotoError('unreadable_image', 'no photo', { cause });
    }
    const faces = descriptors.map((descriptor, i) => ({
      box: { x: i, y: 2, width: 30, height: 40 },
      score: 0.75,
      landmarks: new Float32Array(136),
      descriptor: Float32Array.from(descriptor),
      sharpness: 12.5,
      cutByEdge: i > 0,
    }));
    return { width: 640, height: 480, faces, timings: { decode: 1 } };
  }

  return {
    model: FAKE_MODEL,
    runtime: 'onnxruntime-web',
    workers,
    queueLimit: 10,
    begun,
    get busy() {
      return busy;
    },
    get queued() {
      return waiting.size;
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
    async analyse(photo: Uint8Array, { signal, onStart }: AnalyseOptions = {}) {
      if (isClosed) throw new EngineError('closed', 'closed');
      await freeWorker(signal);
      busy++;
      try {
        const text = Buffer.from(photo).toString();
        begun.push(text);
        onStart?.();
        await Promise.race([gate, aborted(signal)]);
        signal?.throwIfAborted();
        return result(text);
      } finally {
        busy--;
        const [next] = waiting;
        if (next) waiting.delete(next);
        next?.();
      }
    },
    async close() {
      isClosed = true;
    },
  };
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => signal?.addEventListener('abort', () => resolve()));
}

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kube-face-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** Puts a file there as a careful writer does: whole, or not at all. */
export async function putFile(folder: string, name: string, content: string | Uint8Array): Promise<void> {
  await writeFile(join(folder, `.${name}.part`), content);
  await rename(join(folder, `.${name}.part`), join(folder, name));
}
