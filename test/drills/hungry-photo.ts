// Loaded into face recognition by NODE_OPTIONS: a photo that ends with MARK takes all the memory that an engine's thread may have.
import { isMainThread, parentPort } from 'node:worker_threads';

export const MARK = 'takes all memory';

function takeAllMemory(): never {
  const taken: number[][] = [];
  for (;;) taken.push(new Array(10_000).fill(0.5)); // in small pieces: one that is too large at once ends the whole process
}

if (!isMainThread) {
  parentPort?.on('message', ({ photo }: { photo?: Uint8Array }) => {
    if (photo && Buffer.from(photo.subarray(-MARK.length)).toString('latin1') === MARK) takeAllMemory();
  });
}
