import { Worker } from 'node:worker_threads';
import type { Judged, SearchMessage, SearchReply } from './search-protocol.ts';

export type SearchThread = {
  /** Takes effect wholly between two searches; every search asked for later sees it. */
  change(change: { version: number; put: { name: string; descriptor: Float32Array }[]; removed: string[] }): void;
  /** The nearest known photos of each descriptor (packed one after the other), and the gallery's version that said so. */
  search(descriptors: Float32Array): Promise<{ version: number; judged: Judged[] }>;
  /** The same, but null for a descriptor that no photo of `among` is near enough to. An empty `among` means everybody. */
  decide(descriptors: Float32Array, among: string[], threshold: number): Promise<{ version: number; judged: Judged[] }>;
  /** The descriptors of those names that are known. */
  export(names: string[]): Promise<{ names: string[]; descriptors: Float32Array }>;
  close(): Promise<void>;
};

export type SearchThreadOptions = {
  length: number;
  metric: 'euclidean' | 'cosine';
  /** The thread died by itself, and with it the gallery: the process had better start anew. */
  onDeath: (error: Error) => void;
};

// The sources run as they are, the build beside its own files.
const WORKER = new URL(`./search.worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

export function createSearchThread({ length, metric, onDeath }: SearchThreadOptions): SearchThread {
  const worker = new Worker(WORKER, { workerData: { length, metric }, name: 'gallery search' });
  const pending = new Map<number, { resolve: (reply: SearchReply) => void; reject: (error: Error) => void }>();
  let lastId = 0;
  let death: Error | undefined;
  let closing = false;

  worker.on('message', (reply: SearchReply) => {
    pending.get(reply.id)?.resolve(reply);
    pending.delete(reply.id);
  });
  worker.on('error', (error) => end(new Error('the search thread failed', { cause: error })));
  worker.on('exit', () => end(new Error('the search thread ended')));

  function end(error: Error): void {
    if (death) return;
    death = error;
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
    if (!closing) onDeath(error);
  }

  function post(message: SearchMessage, transfer: ArrayBuffer[] = []): void {
    worker.postMessage(message, transfer);
  }

  function ask(make: (id: number) => SearchMessage): Promise<SearchReply> {
    if (death) return Promise.reject(death);
    return new Promise((resolve, reject) => {
      const id = ++lastId;
      pending.set(id, { resolve, reject });
      post(make(id));
    });
  }

  async function judge(make: (id: number) => SearchMessage): Promise<{ version: number; judged: Judged[] }> {
    const reply = await ask(make);
    if (!('judged' in reply)) throw new Error('the search thread gave another answer than it was asked for');
    return reply;
  }

  return {
    change({ version, put, removed }) {
      const descriptors = new Float32Array(put.length * length);
      for (const [i, { descriptor }] of put.entries()) descriptors.set(descriptor, i * length);
      post({ type: 'change', version, put: { names: put.map(({ name }) => name), descriptors }, removed }, [descriptors.buffer]);
    },
    search: (descriptors) => judge((id) => ({ type: 'search', id, descriptors })),
    decide: (descriptors, among, threshold) => judge((id) => ({ type: 'decide', id, descriptors, among, threshold })),
    async export(names) {
      const reply = await ask((id) => ({ type: 'export', id, names }));
      if (!('descriptors' in reply)) throw new Error('the search thread gave another answer than it was asked for');
      return reply;
    },
    async close() {
      closing = true;
      await worker.terminate();
    },
  };
}
