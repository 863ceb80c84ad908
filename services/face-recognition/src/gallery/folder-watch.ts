import { Worker } from 'node:worker_threads';

export type FolderMessage =
  | { type: 'change'; changed: [name: string, stamp: string][]; removed: string[] }
  | { type: 'trouble'; code: string }
  | { type: 'well' };
export type FolderOrder = { forget: string[] };

export type FolderWatch = {
  /** Reports these again if they are there: whoever asks has changed their mind about them meanwhile. */
  forget(names: string[]): void;
  close(): Promise<void>;
};

export type FolderWatchOptions = {
  folder: string;
  pollMs: number;
  /** First with everything that is there, even if that is nothing; later with what differs. */
  onChange: (change: { changed: [name: string, stamp: string][]; removed: string[] }) => void;
  /** The folder can't be read (its error code), or can be again (undefined). What was reported before stands. */
  onTrouble: (code: string | undefined) => void;
  onDeath: (error: Error) => void;
};

// The sources run as they are, the build beside its own files.
const WORKER = new URL(`./folder.worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

/** Watches the photos that stand in a folder itself; one that is missing is made. */
export function watchFolder({ folder, pollMs, onChange, onTrouble, onDeath }: FolderWatchOptions): FolderWatch {
  const worker = new Worker(WORKER, { workerData: { folder, pollMs }, name: 'folder watch' });
  let closing = false;

  worker.on('message', (message: FolderMessage) => {
    if (closing) return;
    if (message.type === 'change') onChange(message);
    else onTrouble(message.type === 'trouble' ? message.code : undefined);
  });
  worker.on('error', (error) => {
    if (!closing) onDeath(new Error('the folder watch failed', { cause: error }));
  });

  return {
    forget(names) {
      worker.postMessage({ forget: names } satisfies FolderOrder);
    },
    async close() {
      closing = true;
      await worker.terminate();
    },
  };
}
