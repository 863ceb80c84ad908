import { parentPort, workerData } from 'node:worker_threads';
import { createSearchIndex } from './search-index.ts';
import type { SearchMessage, SearchReply } from './search-protocol.ts';

/** The search thread: owns the packed descriptors, so that the thread that serves gRPC never computes. */
if (!parentPort) throw new Error('this file is a worker thread');
const port = parentPort;
const { length, metric } = workerData as { length: number; metric: 'euclidean' | 'cosine' };
const index = createSearchIndex({ length, metric });
let version = 0;

function rowsOf(packed: Float32Array): Float32Array[] {
  return Array.from({ length: packed.length / length }, (_, row) => packed.subarray(row * length, (row + 1) * length));
}

function reply(message: SearchReply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

port.on('message', (message: SearchMessage) => {
  switch (message.type) {
    case 'change': {
      const rows = rowsOf(message.put.descriptors);
      for (const name of message.removed) index.remove(name);
      for (const [i, name] of message.put.names.entries()) index.put(name, rows[i] as Float32Array);
      version = message.version;
      break;
    }
    case 'search':
      reply({ id: message.id, version, judged: rowsOf(message.descriptors).map((row) => index.nearest(row)) });
      break;
    case 'decide': {
      const { among, threshold } = message;
      const judged = rowsOf(message.descriptors).map((row) =>
        among.length > 0 && index.distanceAmong(row, among) > threshold ? null : index.nearest(row),
      );
      reply({ id: message.id, version, judged });
      break;
    }
    case 'export': {
      const names = message.names.filter((name) => index.descriptorOf(name) !== undefined);
      const descriptors = new Float32Array(names.length * length);
      for (const [i, name] of names.entries()) descriptors.set(index.descriptorOf(name) as Float32Array, i * length);
      reply({ id: message.id, version, names, descriptors }, [descriptors.buffer]);
      break;
    }
  }
});
