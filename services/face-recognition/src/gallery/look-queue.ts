export type LookQueue = {
  /** Names that wait, and those that are looked at just now. */
  readonly due: number;
  readonly running: number;
  add(names: Iterable<string>): void;
  remove(name: string): void;
  /** Runs a task when nothing else happens to this name: neither a look nor another task. */
  exclusively<T>(name: string, task: () => Promise<T>): Promise<T>;
  /** Goes on with what waits; says `onIdle` where nothing does. */
  pump(): void;
  close(): void;
};

export type LookQueueOptions = {
  /** Names that are looked at side by side. */
  parallel: number;
  /** Must not reject. */
  look: (name: string) => Promise<void>;
  onLooked: () => void;
  onIdle: () => void;
};

/** Names of photos to look at, in order, each once however often it was added meanwhile. */
export function createLookQueue({ parallel, look, onLooked, onIdle }: LookQueueOptions): LookQueue {
  const due = new Set<string>();
  const busy = new Map<string, Promise<unknown>>();
  let running = 0;
  let isClosed = false;

  function exclusively<T>(name: string, task: () => Promise<T>): Promise<T> {
    const result = (busy.get(name) ?? Promise.resolve()).then(task, task);
    const ended = result.then(
      () => {},
      () => {},
    );
    busy.set(name, ended);
    void ended.then(() => busy.get(name) === ended && busy.delete(name));
    return result;
  }

  function pump(): void {
    for (const name of due) {
      if (running >= parallel || isClosed) break;
      due.delete(name);
      running++;
      void exclusively(name, () => look(name)).then(() => {
        running--;
        onLooked();
        pump();
      });
    }
    if (running === 0 && due.size === 0 && !isClosed) onIdle();
  }

  return {
    get due() {
      return due.size;
    },
    get running() {
      return running;
    },
    add(names) {
      for (const name of names) due.add(name);
      pump();
    },
    remove: (name) => void due.delete(name),
    exclusively,
    pump,
    close() {
      isClosed = true;
    },
  };
}
