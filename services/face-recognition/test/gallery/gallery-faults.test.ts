import { silent } from '@kube-face/shared-lib/logger';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { FolderWatchOptions } from '../../src/gallery/folder-watch.ts';
import { openGallery } from '../../src/gallery/gallery.ts';
import { FRESH_MS, type LoadedPhoto, type LoadOptions } from '../../src/gallery/known-photo.ts';
import { createSearchIndex } from '../../src/gallery/search-index.ts';
import { FAKE_MODEL } from '../fakes.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

type Look = LoadedPhoto | Error;

const usable = (x: number, isFresh = false): LoadedPhoto => {
  const descriptor = Float32Array.of(x, 0, 0, 0);
  return { stamp: '1', photo: `hash ${x}`, faces: 1, skipped: undefined, descriptor, isFresh, source: 'computed' };
};
const crashed: LoadedPhoto = {
  ...usable(0),
  photo: 'hash of a bomb',
  skipped: 'engine_failed',
  descriptor: undefined,
};

/** A gallery over a folder that is told, and photos that look as given, one look after the other (the last one stays). */
function open() {
  const index = createSearchIndex(FAKE_MODEL);
  const looks = new Map<string, Look[]>();
  const asked: { name: string; urgency: LoadOptions['urgency'] }[] = [];
  let handlers: Pick<FolderWatchOptions, 'onChange' | 'onTrouble'> | undefined;
  const gallery = openGallery({
    watch: (given) => {
      handlers = given;
      return { forget: () => {}, close: async () => {} };
    },
    read: async (name, { urgency }) => {
      asked.push({ name, urgency });
      const left = looks.get(name) ?? [];
      const look = left.length > 1 ? left.shift() : left[0];
      if (look instanceof Error) throw look;
      return look;
    },
    cache: {
      read: async () => undefined,
      write: async () => {},
      remove: async () => {},
      sweep: async () => {},
      async *readIndex() {},
      writeIndex: async () => {},
    },
    search: {
      change({ put, removed }) {
        for (const name of removed) index.remove(name);
        for (const { name, descriptor } of put) index.put(name, descriptor);
      },
      export: async () => ({ names: [], descriptors: new Float32Array() }),
    },
    log: silent,
    now: Date.now,
    parallel: 2,
  });
  onTestFinished(() => gallery.close());

  async function tell(changed: Record<string, Look[]>, removed: string[] = []): Promise<void> {
    for (const [name, of] of Object.entries(changed)) looks.set(name, of);
    handlers?.onChange({ changed: Object.keys(changed).map((name) => [name, `${Math.random()}`]), removed });
    await vi.advanceTimersByTimeAsync(0);
  }
  const positionOf = (name: string) => index.descriptorOf(name)?.[0];
  return { gallery, tell, positionOf, asked };
}

test('looks again at a photo that was written to just now: its times may not tell the next change', async () => {
  const { tell, positionOf, asked } = open();
  await tell({ 'a.jpg': [usable(1, true), usable(2)] });
  expect(positionOf('a.jpg')).toBe(1);
  await vi.advanceTimersByTimeAsync(FRESH_MS);
  expect(positionOf('a.jpg')).toBe(2);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toHaveLength(2);
});

test('looks only once more where a clock is ahead and everything seems fresh for ever', async () => {
  const { tell, asked, gallery } = open();
  await tell({ 'a.jpg': [usable(1, true)] });
  const { version } = gallery;
  await vi.advanceTimersByTimeAsync(600_000);
  expect(asked).toHaveLength(2);
  expect(gallery.version).toBe(version);
});

test('keeps what it knows of a photo that cannot be read now, and tries again until it can', async () => {
  const { tell, positionOf, gallery } = open();
  await tell({ 'a.jpg': [usable(1)] });
  await tell({ 'a.jpg': [new Error('stale file handle'), new Error('stale file handle'), usable(2)] });
  expect(positionOf('a.jpg')).toBe(1);
  expect(gallery.size).toBe(1);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(positionOf('a.jpg')).toBe(2);
});

test('a photo that could never be read is counted, does not keep the gallery from being ready, and is tried again', async () => {
  const { tell, gallery, positionOf } = open();
  await tell({ 'a.jpg': [new Error('i/o error'), usable(1)], 'b.jpg': [usable(2)] });
  expect(gallery.isLoaded).toBe(true);
  expect(gallery.counts().skipped).toEqual(new Map([['unreadable_file', 1]]));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(positionOf('a.jpg')).toBe(1);
  expect(gallery.counts().skipped.size).toBe(0);
});

test('gives a photo up that brings the engine down again and again, until it changes', async () => {
  const { tell, asked, gallery, positionOf } = open();
  await tell({ 'bomb.jpg': [crashed] });
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(asked).toHaveLength(5);
  expect(gallery.counts().skipped).toEqual(new Map([['engine_failed', 1]]));
  await tell({ 'bomb.jpg': [usable(3)] });
  expect(positionOf('bomb.jpg')).toBe(3);
});

test('what goes while it is looked at does not stay', async () => {
  const { tell, positionOf, gallery } = open();
  await tell({});
  void tell({ 'a.jpg': [usable(1)] });
  await tell({}, ['a.jpg']);
  expect(positionOf('a.jpg')).toBeUndefined();
  expect(gallery.size).toBe(0);
});

test('many photos can wait, a few later ones cannot', async () => {
  const { tell, asked } = open();
  const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${i}.jpg`, [usable(i)]]));
  await tell(many);
  expect(asked.map(({ urgency }) => urgency)).toEqual(Array.from({ length: 40 }, () => 'whenever'));
  asked.length = 0;
  await tell({ 'new.jpg': [usable(50)] });
  expect(asked).toEqual([{ name: 'new.jpg', urgency: 'now' }]);
});
