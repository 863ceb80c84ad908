import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silent } from '@kube-face/shared-lib/logger';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { KnownFace } from '../../src/gallery/cache-format.ts';
import { createDescriptorCache } from '../../src/gallery/descriptor-cache.ts';
import { watchFolder } from '../../src/gallery/folder-watch.ts';
import { openGallery } from '../../src/gallery/gallery.ts';
import { createKnownPhotoReader } from '../../src/gallery/known-photo.ts';
import { createSearchThread } from '../../src/gallery/search-thread.ts';
import { createFindFaces } from '../../src/recognition.ts';
import { FAKE_MODEL, fakeEngine, photoOf, putFile, sha256, temporaryFolder } from '../fakes.ts';

const UNTIL = { timeout: 10_000, interval: 10 };
const anna = photoOf([1, 0, 0, 0]);
const bert = photoOf([0, 1, 0, 0]);

function failOnDeath(error: Error): void {
  throw error;
}

/** A gallery over a real folder, with a fake engine. Nothing counts as fresh unless `now` is the real clock. */
function open(
  folder: string,
  {
    engine = fakeEngine(),
    cacheFolder = join(folder, '.gallery'),
    now = () => Date.now() + 60_000,
    examined = new Map<string, KnownFace>(),
  } = {},
) {
  const search = createSearchThread({ ...FAKE_MODEL, onDeath: failOnDeath });
  const cache = createDescriptorCache({ folder: cacheFolder, model: FAKE_MODEL, log: silent, now });
  const sources: string[] = [];
  const gallery = openGallery({
    watch: (handlers) => watchFolder({ folder, pollMs: 50, onDeath: failOnDeath, ...handlers }),
    read: createKnownPhotoReader({ folder, cache, examined, findFaces: createFindFaces(engine, 1_000), now }),
    cache,
    search,
    log: silent,
    now,
    parallel: 4,
    onLoaded: (source) => sources.push(source),
  });
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= gallery.close().then(() => search.close());
    return closing;
  };
  onTestFinished(close);

  const nearest = async (...descriptor: number[]) => {
    const { judged } = await search.search(Float32Array.from(descriptor));
    return judged[0]?.[0]?.name;
  };
  const loaded = () => vi.waitFor(() => expect(gallery.isLoaded).toBe(true), UNTIL);
  const everybody = async () => {
    const { judged } = await search.search(Float32Array.of(0, 0, 0, 0));
    return (judged[0] ?? []).map(({ name }) => name);
  };
  const holds = (...names: string[]) =>
    vi.waitFor(async () => expect((await everybody()).toSorted(byText)).toEqual(names), UNTIL);
  return { gallery, engine, sources, nearest, loaded, holds, close };
}

function byText(a: string, b: string): number {
  return a < b ? -1 : 1;
}

/** Hashes that have an entry in the cache of a folder. */
async function cachedIn(folder: string): Promise<string[]> {
  const names = await readdir(join(folder, '.gallery'), { recursive: true }).catch(() => []);
  return names.map((name) => name.split('/').at(-1) ?? '').filter((name) => /^[0-9a-f]{64}$/.test(name));
}

describe('loads the folder', () => {
  test('and finds everybody in it', async () => {
    const folder = await temporaryFolder();
    await putFile(folder, 'anna.jpg', anna);
    await putFile(folder, 'bert.png', bert);
    const { gallery, loaded, nearest } = open(folder);
    await loaded();
    expect(gallery.size).toBe(2);
    expect(await nearest(0.9, 0, 0, 0)).toBe('anna.jpg');
    expect(await nearest(0, 0.9, 0, 0)).toBe('bert.png');
  });

  test('and is ready with nobody in it, or with no folder at all', async () => {
    const { gallery, loaded, holds } = open(join(await temporaryFolder(), 'not', 'there'));
    await loaded();
    expect(gallery.size).toBe(0);
    await holds();
  });

  test('takes the largest face, skips photos without one or that cannot be read, and counts them', async () => {
    const folder = await temporaryFolder();
    await putFile(folder, 'both.jpg', photoOf([1, 0, 0, 0], [0, 1, 0, 0]));
    await putFile(folder, 'wall.jpg', photoOf());
    await putFile(folder, 'text.jpg', 'hello');
    const { gallery, loaded, nearest } = open(folder);
    await loaded();
    expect(gallery.size).toBe(1);
    expect(gallery.counts()).toEqual({
      severalFaces: 1,
      skipped: new Map([
        ['no_face', 1],
        ['unreadable_image', 1],
      ]),
    });
    expect(await nearest(1, 0, 0, 0)).toBe('both.jpg');
  });
});

describe('follows the folder', () => {
  test('photos come, change and go', async () => {
    const folder = await temporaryFolder();
    const { gallery, loaded, holds, nearest } = open(folder);
    await loaded();
    const versions = [gallery.version];
    await putFile(folder, 'a.jpg', anna);
    await holds('a.jpg');
    versions.push(gallery.version);
    await putFile(folder, 'B.jpg', anna);
    await holds('B.jpg', 'a.jpg');
    versions.push(gallery.version);
    await putFile(folder, 'a.jpg', bert);
    await vi.waitFor(async () => expect(await nearest(0.25, 1, 0, 0)).toBe('a.jpg'), UNTIL);
    versions.push(gallery.version);
    await rm(join(folder, 'B.jpg'));
    await holds('a.jpg');
    versions.push(gallery.version);
    expect(versions).toEqual([...new Set(versions)].toSorted((x, y) => x - y));
  });

  test('a photo that is written bit by bit gets in when it is whole', async () => {
    const folder = await temporaryFolder();
    const { gallery, loaded, holds } = open(folder);
    await loaded();
    await writeFile(join(folder, 'a.jpg'), anna.slice(0, 5));
    await vi.waitFor(() => expect(gallery.counts().skipped.get('unreadable_image')).toBe(1), UNTIL);
    await writeFile(join(folder, 'a.jpg'), anna);
    await holds('a.jpg');
    expect(gallery.counts().skipped.size).toBe(0);
  });

  test('a photo that loses its face leaves the gallery', async () => {
    const folder = await temporaryFolder();
    await putFile(folder, 'a.jpg', anna);
    const { loaded, holds } = open(folder);
    await loaded();
    await putFile(folder, 'a.jpg', photoOf());
    await holds();
  });

  test('an engine that crashes on a photo is asked again', async () => {
    const folder = await temporaryFolder();
    const engine = fakeEngine();
    let crashes = 1;
    const { gallery, loaded, holds } = open(folder, {
      engine: { ...engine, analyse: (photo, options) => engine.analyse(crashes-- > 0 ? Buffer.from('"crash"') : photo, options) },
    });
    await putFile(folder, 'a.jpg', anna);
    await loaded();
    await holds('a.jpg');
    expect(gallery.counts().skipped.size).toBe(0);
  });
});

describe('computes nothing twice', () => {
  async function openedBefore(): Promise<string> {
    const folder = await temporaryFolder();
    await putFile(folder, 'anna.jpg', anna);
    await putFile(folder, 'bert.jpg', bert);
    await putFile(folder, 'wall.jpg', photoOf());
    const first = open(folder);
    await first.loaded();
    expect(first.engine.begun).toHaveLength(3);
    await first.close();
    return folder;
  }

  test('a restart takes everything from the index', async () => {
    const { engine, sources, loaded, holds, nearest, gallery } = open(await openedBefore());
    await loaded();
    expect(engine.begun).toEqual([]);
    expect(sources).toEqual(['index', 'index', 'index']);
    await holds('anna.jpg', 'bert.jpg');
    expect(await nearest(0, 1, 0, 0)).toBe('bert.jpg');
    expect(gallery.counts().skipped.get('no_face')).toBe(1);
  });

  test('without the index, photos are known by their content, whatever they are called', async () => {
    const folder = await openedBefore();
    const [model] = await readdir(join(folder, '.gallery'));
    await rm(join(folder, '.gallery', model as string, 'index'));
    await rename(join(folder, 'anna.jpg'), join(folder, 'anna_2.jpg'));
    const { engine, loaded, holds } = open(folder);
    await loaded();
    expect(engine.begun).toEqual([]);
    await holds('anna_2.jpg', 'bert.jpg');
  });

  test('a photo that was changed while nobody looked is not taken for the old one', async () => {
    const folder = await openedBefore();
    await putFile(folder, 'anna.jpg', bert);
    await rm(join(folder, 'wall.jpg'));
    const { engine, loaded, nearest, gallery } = open(folder);
    await loaded();
    expect(engine.begun).toEqual([]);
    expect(await nearest(1, 0, 0, 0)).not.toBe(undefined);
    expect(await nearest(0, 1, 0, 0)).toBe('anna.jpg'); // as near as bert.jpg, and first by name
    expect(gallery.counts().skipped.size).toBe(0);
  });

  test('damaged caches are computed again', async () => {
    const folder = await openedBefore();
    for (const name of await readdir(join(folder, '.gallery'), { recursive: true })) {
      const path = join(folder, '.gallery', name);
      const bytes = await readFile(path).catch(() => undefined);
      if (bytes) await writeFile(path, bytes.fill(7, Math.floor(bytes.length / 2)));
    }
    const { engine, loaded, holds } = open(folder);
    await loaded();
    expect(engine.begun).toHaveLength(3);
    await holds('anna.jpg', 'bert.jpg');
  });

  test('a cache that cannot be written is done without', async () => {
    const folder = await temporaryFolder();
    await putFile(folder, 'anna.jpg', anna);
    await writeFile(join(folder, 'notes.txt'), '');
    const { loaded, holds } = open(folder, { cacheFolder: join(folder, 'notes.txt') });
    await loaded();
    await holds('anna.jpg');
  });
});

describe('erases', () => {
  test('what was cached of a photo that is gone, and its line in the index', async () => {
    const folder = await temporaryFolder();
    await putFile(folder, 'anna.jpg', anna);
    await putFile(folder, 'bert.jpg', bert);
    const { loaded, holds } = open(folder);
    await loaded();
    expect((await cachedIn(folder)).toSorted(byText)).toEqual([sha256(anna), sha256(bert)].toSorted(byText));
    await rm(join(folder, 'anna.jpg'));
    await holds('bert.jpg');
    await vi.waitFor(async () => expect(await cachedIn(folder)).toEqual([sha256(bert)]), UNTIL);
    const [model] = await readdir(join(folder, '.gallery'));
    await vi.waitFor(async () => {
      const index = await readFile(join(folder, '.gallery', model as string, 'index'), 'latin1');
      expect(index).toContain('bert.jpg');
      expect(index).not.toContain('anna.jpg');
    }, UNTIL);
  });

  test('nothing that another photo still needs, and nothing for a new name', async () => {
    const folder = await temporaryFolder();
    await putFile(folder, 'anna.jpg', anna);
    await putFile(folder, 'twin.jpg', anna);
    const { loaded, holds, engine } = open(folder);
    await loaded();
    const { length } = engine.begun;
    await rm(join(folder, 'anna.jpg'));
    await holds('twin.jpg');
    await rename(join(folder, 'twin.jpg'), join(folder, 'renamed.jpg'));
    await holds('renamed.jpg');
    expect(await cachedIn(folder)).toEqual([sha256(anna)]);
    expect(engine.begun).toHaveLength(length);
  });
});

describe('on demand', () => {
  test('loads photos at once, without computing what was examined, and names those it could not', async () => {
    const folder = await temporaryFolder();
    const examined = new Map([[sha256(anna), { faces: 1, descriptor: Float32Array.of(1, 0, 0, 0) }]]);
    const { gallery, engine, loaded, nearest } = open(folder, { examined });
    await loaded();
    for (const [name, content] of Object.entries({ 'anna.jpg': anna, 'wall.jpg': photoOf(), 'notes.txt': bert }))
      await putFile(folder, name, content);
    const names = ['anna.jpg', 'wall.jpg', 'notes.txt', 'nowhere.jpg', '../secret.jpg', '.gallery'];
    const { version, missing } = await gallery.load(names);
    expect(missing).toEqual(['wall.jpg', 'notes.txt', 'nowhere.jpg', '../secret.jpg', '.gallery']);
    expect(version).toBe(gallery.version);
    expect(await nearest(1, 0, 0, 0)).toBe('anna.jpg');
    expect(engine.begun).not.toContain(anna);
  });

  test('drops photos at once; one whose file stays comes back', async () => {
    const folder = await temporaryFolder();
    await putFile(folder, 'anna.jpg', anna);
    await putFile(folder, 'bert.jpg', bert);
    const { gallery, loaded, nearest, holds } = open(folder);
    await loaded();
    await rm(join(folder, 'anna.jpg'));
    const before = gallery.version;
    const { version } = await gallery.drop(['anna.jpg', 'nobody.jpg']);
    expect(version).toBe(before + 1);
    expect(await nearest(1, 0, 0, 0)).toBe('bert.jpg');
    await gallery.drop(['bert.jpg']);
    await holds('bert.jpg');
  });
});
