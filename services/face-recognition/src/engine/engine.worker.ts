import { parentPort, workerData } from 'node:worker_threads';
import sharp from 'sharp';
import { PhotoError } from './errors.ts';
import { loadEngine } from './load-engine.ts';
import { free } from './memory.ts';
import type { PhotoMessage, WorkerMessage, WorkerOptions } from './worker-messages.ts';

/** The thread in which one engine runs. Whatever it does not catch ends it, and the pool starts another. */
const port = parentPort;
if (!port) throw new Error('this file runs as a worker');

// One photo, one core: the pool's workers share the cores between them. No photo comes twice, so nothing is worth keeping.
sharp.concurrency(1);
sharp.cache(false);

const engine = await loadEngine({ ...(workerData as WorkerOptions), hasGlibc: hasGlibc() });
const say = (message: WorkerMessage, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

port.on('message', (message: PhotoMessage) => void answer(message));
say({ kind: 'ready', runtime: engine.runtime, model: engine.model });

async function answer({ photo, known }: PhotoMessage): Promise<void> {
  try {
    say({ kind: 'analysis', analysis: await engine.analyse(photo, known) });
  } catch (error) {
    if (!(error instanceof PhotoError)) throw error;
    say({ kind: 'photo-fault', code: error.code, detail: error.detail });
  } finally {
    free(photo);
  }
}

function hasGlibc(): boolean {
  const { report } = process as { report: NodeJS.ProcessReport & { excludeNetwork?: boolean } };
  // Looking up the names of open connections would take seconds.
  report.excludeNetwork = true;
  const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } };
  return process.platform !== 'linux' || header.glibcVersionRuntime !== undefined;
}
