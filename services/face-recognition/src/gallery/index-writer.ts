import type { IndexedPhoto } from './cache-format.ts';
import type { DescriptorCache } from './descriptor-cache.ts';
import type { PhotoLedger } from './photo-ledger.ts';
import type { SearchThread } from './search-thread.ts';

const PART_PHOTOS = 1_024;
const SAVE_MS = 2_000;

export type IndexWriter = {
  /** Writes the index within seconds, however often it is asked. */
  saveSoon(): void;
  /** Writes it now if it is due, and waits for what is being written. */
  finish(): Promise<void>;
};

export type IndexWriterDependencies = {
  ledger: Pick<PhotoLedger, 'get' | 'names'>;
  /** Photos whose stamp may not tell the next change yet, and which the index had better not vouch for. */
  isFresh: (name: string) => boolean;
  cache: Pick<DescriptorCache, 'writeIndex'>;
  search: Pick<SearchThread, 'export'>;
  later: (ms: number, task: () => void) => void;
};

/** Keeps the index beside the cached descriptors: what a restart needs in order to open nothing else. */
export function createIndexWriter({ ledger, isFresh, cache, search, later }: IndexWriterDependencies): IndexWriter {
  let saving = Promise.resolve();
  let isDue = false;

  function save(): void {
    isDue = false;
    saving = saving.then(() => cache.writeIndex(parts()));
  }

  async function* parts(): AsyncGenerator<IndexedPhoto[]> {
    const names = ledger.names();
    for (let at = 0; at < names.length; at += PART_PHOTOS) {
      // Stamps are read, and descriptors asked for, in one go: what changes meanwhile changes neither.
      const photos = names.slice(at, at + PART_PHOTOS).flatMap((name) => {
        const photo = ledger.get(name);
        const isLasting = photo?.skipped === undefined || photo.skipped === 'no_face';
        return photo && isLasting && !isFresh(name) ? [{ name, ...photo }] : [];
      });
      const exported = await search.export(photos.filter(({ skipped }) => !skipped).map(({ name }) => name));
      const length = exported.descriptors.length / Math.max(1, exported.names.length);
      const rows = new Map(exported.names.map((name, i) => [name, exported.descriptors.subarray(i * length, (i + 1) * length)]));
      yield photos.map(({ name, stamp, photo, faces }) => ({ name, stamp, photo, faces, descriptor: rows.get(name) }));
    }
  }

  return {
    saveSoon() {
      if (isDue) return;
      isDue = true;
      later(SAVE_MS, save);
    },
    async finish() {
      if (isDue) save();
      await saving;
    },
  };
}
