import { backoffMs } from '@kube-face/shared-lib/backoff';
import type { Logger } from '@kube-face/shared-lib/logger';
import type { IndexedPhoto } from './cache-format.ts';
import type { DescriptorCache } from './descriptor-cache.ts';
import type { FolderWatch, FolderWatchOptions } from './folder-watch.ts';
import { FRESH_MS, type KnownPhoto, type KnownPhotoReader, type LoadedPhoto, type LoadOptions } from './known-photo.ts';
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

function isUsable(photo: KnownPhoto | undefined): boolean {
  return photo !== undefined && photo.skipped === undefined;
}

const PART_PHOTOS = 1_024;
const PROGRESS_MS = 2_000;
const SAVE_MS = 2_000;
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
  const known = new Map<string, KnownPhoto>();
  const photosByHash = new Map<string, number>();
  const orphans = new Set<string>();
  /** Names to look at, in order; and those that are being looked at, with when that ends. */
  const due = new Set<string>();
  const busy = new Map<string, Promise<unknown>>();
  const fresh = new Set<string>();
  const failures = new Map<string, number>();
  const timers = new Set<NodeJS.Timeout>();
  let running = 0;
  let version = 1;
  let size = 0;
  let isLoaded = false;
  let isListed = false;
  let isClosed = false;
  let lastProgress = now();
  let intake = Promise.resolve();
  let saving: Promise<void> | undefined;
  let isSaveDue = false;

  function later(ms: number, task: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      if (!isClosed) task();
    }, ms);
    timer.unref();
    timers.add(timer);
  }

  /** One thing at a time happens to a name. */
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

  function countHash(photo: string, by: 1 | -1): void {
    if (photo === '') return;
    const count = (photosByHash.get(photo) ?? 0) + by;
    if (count > 0) photosByHash.set(photo, count);
    else photosByHash.delete(photo);
    if (by < 0) orphans.add(photo);
  }

  function remember(name: string, photo: KnownPhoto | undefined): void {
    const before = known.get(name);
    if (photo) countHash(photo.photo, 1);
    if (before) countHash(before.photo, -1);
    size += Number(isUsable(photo)) - Number(isUsable(before));
    if (photo) known.set(name, photo);
    else known.delete(name);
  }

  function forget(name: string): void {
    const before = known.get(name);
    due.delete(name);
    fresh.delete(name);
    failures.delete(name);
    if (!before) return;
    remember(name, undefined);
    saveSoon();
    if (!before.skipped) search.change({ version: ++version, put: [], removed: [name] });
    log.info({ photo: name, size, version }, 'known photo is gone');
  }

  function take(name: string, { descriptor, isFresh, source, ...photo }: LoadedPhoto): void {
    const before = known.get(name);
    if (isFresh && !fresh.has(name)) {
      fresh.add(name);
      later(FRESH_MS, () => lookAt([name]));
    } else fresh.delete(name);
    remember(name, photo);
    saveSoon();
    onLoaded(source);

    if (photo.skipped === 'engine_failed') {
      const count = (failures.get(name) ?? 0) + 1;
      failures.set(name, count);
      if (count < MAX_ENGINE_FAILURES) later(backoffMs(count, RETRY), () => lookAt([name]));
    } else failures.delete(name);

    if (before?.photo === photo.photo && before.skipped === photo.skipped) return;
    if (descriptor) search.change({ version: ++version, put: [{ name, descriptor }], removed: [] });
    else if (isUsable(before)) search.change({ version: ++version, put: [], removed: [name] });

    if (photo.skipped) log.warn({ photo: name, reason: photo.skipped }, 'known photo is skipped');
    else if (photo.faces > 1) log.warn({ photo: name, faces: photo.faces }, 'known photo has several faces; the largest counts');
    const isOneOfMany = !isLoaded || due.size >= FEW;
    if (!photo.skipped)
      log[isOneOfMany ? 'debug' : 'info']({ photo: name, size, version, source }, 'known photo is in the gallery');
  }

  async function loadOne(name: string, options: LoadOptions): Promise<void> {
    try {
      const loaded = await read(name, options);
      if (isClosed) return;
      if (loaded) take(name, loaded);
      else forget(name);
    } catch (error) {
      if (isClosed) return;
      // What was known of it stands until it can be read again.
      const count = (failures.get(name) ?? 0) + 1;
      failures.set(name, count);
      if (!known.has(name)) remember(name, { stamp: '', photo: '', faces: 0, skipped: 'unreadable_file' });
      log.warn({ photo: name, error }, 'known photo cannot be looked at now; trying again');
      later(backoffMs(count, RETRY), () => lookAt([name]));
    }
  }

  function lookAt(names: Iterable<string>): void {
    for (const name of names) due.add(name);
    pump();
  }

  function pump(): void {
    for (const name of due) {
      if (running >= parallel || isClosed) break;
      due.delete(name);
      running++;
      const urgency = isLoaded && due.size < FEW ? 'now' : 'whenever';
      void exclusively(name, () => loadOne(name, { urgency })).then(() => {
        running--;
        reportProgress();
        pump();
      });
    }
    if (running === 0 && due.size === 0 && isListed && !isClosed) rest();
  }

  function reportProgress(): void {
    if ((isLoaded && due.size < FEW) || now() - lastProgress < PROGRESS_MS) return;
    lastProgress = now();
    log.info({ left: due.size + running, size }, 'loading the gallery');
  }

  /** Nothing is due: the gallery is what the folder was when it was last looked at. */
  function rest(): void {
    if (!isLoaded) {
      isLoaded = true;
      log.info({ size, version, skipped: known.size - size }, 'gallery is loaded');
      sweep();
      onReady();
    }
    for (const photo of orphans) if (!photosByHash.has(photo)) void cache.remove(photo);
    orphans.clear();
  }

  function sweep(): void {
    void cache.sweep((photo) => photosByHash.has(photo));
    later(SWEEP_MS, sweep);
  }

  async function takeIndex(stamps: Map<string, string>): Promise<void> {
    for await (const part of cache.readIndex()) {
      const valid = part.filter(({ name, stamp }) => stamps.get(name) === stamp && !known.has(name));
      const put: { name: string; descriptor: Float32Array }[] = [];
      for (const { name, stamp, photo, faces, descriptor } of valid) {
        remember(name, { stamp, photo, faces, skipped: descriptor ? undefined : 'no_face' });
        if (descriptor) put.push({ name, descriptor });
        onLoaded('index');
      }
      if (put.length > 0) search.change({ version: ++version, put, removed: [] });
      if (valid.length < part.length) saveSoon();
    }
  }

  async function takeChange({ changed, removed }: { changed: [string, string][]; removed: string[] }): Promise<void> {
    if (!isListed) {
      log.info({ photos: changed.length }, 'loading the gallery');
      await takeIndex(new Map(changed));
      isListed = true;
    }
    for (const name of removed) void exclusively(name, async () => forget(name));
    const differ = changed.filter(([name, stamp]) => known.get(name)?.stamp !== stamp);
    for (const [name] of differ) failures.delete(name);
    lookAt(differ.map(([name]) => name));
    if (removed.length > 0) await Promise.all(removed.map((name) => busy.get(name)));
    pump();
  }

  function saveSoon(): void {
    if (isSaveDue) return;
    isSaveDue = true;
    later(SAVE_MS, () => void save());
  }

  function save(): Promise<void> {
    isSaveDue = false;
    saving = (saving ?? Promise.resolve()).then(() => cache.writeIndex(indexParts()));
    return saving;
  }

  async function* indexParts(): AsyncGenerator<IndexedPhoto[]> {
    const names = [...known.keys()];
    for (let at = 0; at < names.length; at += PART_PHOTOS) {
      // Stamps are read, and descriptors asked for, in one go: what changes meanwhile changes neither.
      const photos = names.slice(at, at + PART_PHOTOS).flatMap((name) => {
        const photo = known.get(name);
        const isLasting = photo?.skipped === undefined || photo.skipped === 'no_face';
        return photo && isLasting && !fresh.has(name) ? [{ name, ...photo }] : [];
      });
      const exported = await search.export(photos.filter(({ skipped }) => !skipped).map(({ name }) => name));
      const length = exported.descriptors.length / Math.max(1, exported.names.length);
      const rows = new Map(exported.names.map((name, i) => [name, exported.descriptors.subarray(i * length, (i + 1) * length)]));
      yield photos.map(({ name, stamp, photo, faces }) => ({ name, stamp, photo, faces, descriptor: rows.get(name) }));
    }
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
      return size;
    },
    get isLoaded() {
      return isLoaded;
    },
    counts() {
      const skipped = new Map<string, number>();
      let severalFaces = 0;
      for (const photo of known.values()) {
        if (photo.skipped) skipped.set(photo.skipped, (skipped.get(photo.skipped) ?? 0) + 1);
        else if (photo.faces > 1) severalFaces++;
      }
      return { skipped, severalFaces };
    },
    async load(names) {
      for (let at = 0; at < names.length; at += parallel) {
        const some = names.slice(at, at + parallel);
        await Promise.all(some.map((name) => exclusively(name, () => loadOne(name, { urgency: 'now' }))));
      }
      const missing = names.filter((name) => known.get(name)?.skipped !== undefined || !known.has(name));
      return { version, missing };
    },
    async drop(names) {
      await Promise.all(names.map((name) => exclusively(name, async () => forget(name))));
      folder.forget(names);
      pump();
      return { version };
    },
    async close() {
      await folder.close();
      await intake;
      const unsaved = isSaveDue;
      isClosed = true;
      for (const timer of timers) clearTimeout(timer);
      if (unsaved && isListed) await save();
      else await saving;
    },
  };
}
