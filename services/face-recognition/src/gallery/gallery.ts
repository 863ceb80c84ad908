import { backoffMs } from '@kube-face/shared-lib/backoff';
import type { Logger } from '@kube-face/shared-lib/logger';
import type { DescriptorCache } from './descriptor-cache.ts';
import type { FolderWatch, FolderWatchOptions } from './folder-watch.ts';
import { createIndexWriter } from './index-writer.ts';
import { FRESH_MS, type KnownPhoto, type KnownPhotoReader, type LoadedPhoto, type Urgency } from './known-photo.ts';
import { createLookQueue } from './look-queue.ts';
import { createPhotoLedger, isUsable } from './photo-ledger.ts';
import type { SearchThread } from './search-thread.ts';

export type GalleryDependencies = {
  watch: (handlers: Pick<FolderWatchOptions, 'onChange' | 'onTrouble'>) => FolderWatch;
  read: KnownPhotoReader;
  cache: DescriptorCache;
  search: Pick<SearchThread, 'change' | 'export'>;
  log: Logger;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Photos that are looked at side by side. */
  parallel: number;
  /** Where the descriptor of a photo that was looked at came from. */
  onLoaded?: (source: LoadedPhoto['source'] | 'index') => void;
  /** Everything that stood in the folder at the start has been looked at. */
  onReady?: () => void;
};

export type Gallery = {
  /** Counts up with every change of what a search finds. */
  readonly version: number;
  /** Known photos with a usable face. */
  readonly size: number;
  /** Everything that stood in the folder at the start has been looked at. */
  readonly isLoaded: boolean;
  /** Photos by why they are skipped, and those with several faces, of which the largest counts. */
  counts(): { skipped: Map<string, number>; severalFaces: number };
  /** Looks at these photos at once; resolves when every later search finds them, but for the `missing`. */
  load(names: string[]): Promise<{ version: number; missing: string[] }>;
  /** Forgets these photos at once; they come back if their files are still there. */
  drop(names: string[]): Promise<{ version: number }>;
  close(): Promise<void>;
};

const PROGRESS_MS = 2_000;
const SWEEP_MS = 3_600_000;
/** Few enough to be put before the work that can wait: a single new photo takes effect in time on a busy machine too. */
const FEW = 16;
/** A photo that brings the engine down is left alone after so many times, until it changes. */
const MAX_ENGINE_FAILURES = 5;
const RETRY = { baseMs: 1_000, maxMs: 60_000 };

/** The known photos, kept as the folder has them. */
export function openGallery({
  watch,
  read,
  cache,
  search,
  log,
  now,
  parallel,
  onLoaded = () => {},
  onReady = () => {},
}: GalleryDependencies): Gallery {
  const ledger = createPhotoLedger();
  /** Photos that were written to so lately that they are to be looked at again. */
  const fresh = new Set<string>();
  const failures = new Map<string, number>();
  const timers = new Set<NodeJS.Timeout>();
  let version = 1;
  let isListed = false;
  let isLoaded = false;
  let isClosed = false;
  let lastProgress = now();
  let intake = Promise.resolve();

  const queue = createLookQueue({
    parallel,
    look: (name) => lookAt(name, isLoaded && queue.due < FEW ? 'now' : 'whenever'),
    onLooked: reportProgress,
    onIdle: rest,
  });
  const index = createIndexWriter({ ledger, isFresh: (name) => fresh.has(name), cache, search, later });

  function later(ms: number, task: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      if (!isClosed) task();
    }, ms);
    timer.unref();
    timers.add(timer);
  }

  /** Counts one more failure in a row, and looks again after a while. */
  function tryAgain(name: string, atMost = Number.POSITIVE_INFINITY): void {
    const count = (failures.get(name) ?? 0) + 1;
    failures.set(name, count);
    if (count < atMost) later(backoffMs(count, RETRY), () => queue.add([name]));
  }

  function forget(name: string): void {
    const before = ledger.get(name);
    queue.remove(name);
    fresh.delete(name);
    failures.delete(name);
    if (!before) return;
    ledger.set(name, undefined);
    index.saveSoon();
    if (isUsable(before)) search.change({ version: ++version, put: [], removed: [name] });
    log.info({ photo: name, size: ledger.size, version }, 'known photo is gone');
  }

  function take(name: string, { descriptor, isFresh, source, ...photo }: LoadedPhoto): void {
    const before = ledger.get(name);
    if (isFresh && !fresh.has(name)) {
      fresh.add(name);
      later(FRESH_MS, () => queue.add([name]));
    } else fresh.delete(name);
    ledger.set(name, photo);
    index.saveSoon();
    onLoaded(source);
    if (photo.skipped === 'engine_failed') tryAgain(name, MAX_ENGINE_FAILURES);
    else failures.delete(name);

    if (before?.photo === photo.photo && before.skipped === photo.skipped) return;
    if (descriptor) search.change({ version: ++version, put: [{ name, descriptor }], removed: [] });
    else if (isUsable(before)) search.change({ version: ++version, put: [], removed: [name] });
    report(name, photo, source);
  }

  function report(name: string, { skipped, faces }: KnownPhoto, source: LoadedPhoto['source']): void {
    if (skipped) {
      log.warn({ photo: name, reason: skipped }, 'known photo is skipped');
      return;
    }
    if (faces > 1) log.warn({ photo: name, faces }, 'known photo has several faces; the largest counts');
    const isOneOfMany = !isLoaded || queue.due >= FEW;
    const details = { photo: name, size: ledger.size, version, source };
    log[isOneOfMany ? 'debug' : 'info'](details, 'known photo is in the gallery');
  }

  async function lookAt(name: string, urgency: Urgency): Promise<void> {
    try {
      const loaded = await read(name, { urgency });
      if (isClosed) return;
      if (loaded) take(name, loaded);
      else forget(name);
    } catch (error) {
      if (isClosed) return;
      // What was known of it stands until it can be read again.
      if (!ledger.get(name)) ledger.set(name, { stamp: '', photo: '', faces: 0, skipped: 'unreadable_file' });
      log.warn({ photo: name, error }, 'known photo cannot be looked at now; trying again');
      tryAgain(name);
    }
  }

  function reportProgress(): void {
    if ((isLoaded && queue.due < FEW) || now() - lastProgress < PROGRESS_MS) return;
    lastProgress = now();
    log.info({ left: queue.due + queue.running, size: ledger.size }, 'loading the gallery');
  }

  /** Nothing is due: the gallery is what the folder was when it was last looked at. */
  function rest(): void {
    if (!isListed) return;
    if (!isLoaded) {
      isLoaded = true;
      log.info({ size: ledger.size, version, skipped: ledger.total - ledger.size }, 'gallery is loaded');
      sweep();
      onReady();
    }
    for (const hash of ledger.takeOrphans()) void cache.remove(hash);
  }

  function sweep(): void {
    void cache.sweep(ledger.isNeeded);
    later(SWEEP_MS, sweep);
  }

  async function takeIndex(stamps: Map<string, string>): Promise<void> {
    for await (const part of cache.readIndex()) {
      const valid = part.filter(({ name, stamp }) => stamps.get(name) === stamp && !ledger.get(name));
      const put: { name: string; descriptor: Float32Array }[] = [];
      for (const { name, stamp, photo, faces, descriptor } of valid) {
        ledger.set(name, { stamp, photo, faces, skipped: descriptor ? undefined : 'no_face' });
        if (descriptor) put.push({ name, descriptor });
        onLoaded('index');
      }
      if (put.length > 0) search.change({ version: ++version, put, removed: [] });
      if (valid.length < part.length) index.saveSoon();
    }
  }

  async function takeChange({ changed, removed }: { changed: [string, string][]; removed: string[] }): Promise<void> {
    if (!isListed) {
      log.info({ photos: changed.length }, 'loading the gallery');
      await takeIndex(new Map(changed));
      isListed = true;
    }
    const gone = Promise.all(removed.map((name) => queue.exclusively(name, async () => forget(name))));
    const differ = changed.filter(([name, stamp]) => ledger.get(name)?.stamp !== stamp).map(([name]) => name);
    for (const name of differ) failures.delete(name);
    queue.add(differ);
    await gone;
    queue.pump();
  }

  const folder = watch({
    onChange: (change) => {
      intake = intake.then(() => takeChange(change));
    },
    onTrouble: (code) => {
      if (code) log.warn({ code }, 'the folder of known people cannot be read; keeping what is known');
      else log.info('the folder of known people can be read again');
    },
  });

  return {
    get version() {
      return version;
    },
    get size() {
      return ledger.size;
    },
    get isLoaded() {
      return isLoaded;
    },
    counts: ledger.counts,
    async load(names) {
      for (let at = 0; at < names.length; at += parallel) {
        const some = names.slice(at, at + parallel);
        await Promise.all(some.map((name) => queue.exclusively(name, () => lookAt(name, 'now'))));
      }
      return { version, missing: names.filter((name) => !isUsable(ledger.get(name))) };
    },
    async drop(names) {
      await Promise.all(names.map((name) => queue.exclusively(name, async () => forget(name))));
      folder.forget(names);
      queue.pump();
      return { version };
    },
    async close() {
      await folder.close();
      await intake;
      isClosed = true;
      queue.close();
      for (const timer of timers) clearTimeout(timer);
      if (isListed) await index.finish();
    },
  };
}
