/** A photo that waits, or that a worker has in hand. */
export type Job<T> = {
  photo: Uint8Array;
  known: boolean;
  priority: 'serve' | 'background';
  deadlineMs: number;
  onStart: (() => void) | undefined;
  resolve(result: T): void;
  reject(error: unknown): void;
};

/** First in, first out; `serve` before `background`. */
export function createPhotoQueue<T>() {
  const waiting: Record<Job<T>['priority'], Set<Job<T>>> = { serve: new Set(), background: new Set() };
  return {
    get serving() {
      return waiting.serve.size;
    },
    get size() {
      return waiting.serve.size + waiting.background.size;
    },
    add: (job: Job<T>) => void waiting[job.priority].add(job),
    remove: (job: Job<T>) => waiting[job.priority].delete(job),
    take(): Job<T> | undefined {
      for (const jobs of [waiting.serve, waiting.background]) {
        for (const job of jobs) {
          jobs.delete(job);
          return job;
        }
      }
      return undefined;
    },
  };
}
