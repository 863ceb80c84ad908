import { mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type FolderWatch, watchFolder } from '../../src/gallery/folder-watch.ts';
import { putFile, temporaryFolder } from '../fakes.ts';

const UNTIL = { timeout: 5_000, interval: 10 };

/** What the watch makes of a folder: names that are there, with how often each was reported. */
function watched(folder: string): {
  names: () => string[];
  reports: Map<string, number>;
  troubles: (string | undefined)[];
  firsts: number;
  watch: FolderWatch;
} {
  const there = new Set<string>();
  const seen = {
    names: () => [...there].toSorted((a, b) => (a < b ? -1 : 1)),
    reports: new Map<string, number>(),
    troubles: [] as (string | undefined)[],
    firsts: 0,
    watch: watchFolder({
      folder,
      pollMs: 50,
      onChange({ changed, removed }) {
        seen.firsts++;
        for (const [name] of changed) {
          there.add(name);
          seen.reports.set(name, (seen.reports.get(name) ?? 0) + 1);
        }
        for (const name of removed) there.delete(name);
      },
      onTrouble: (code) => seen.troubles.push(code),
      onDeath: (error) => {
        throw error;
      },
    }),
  };
  onTestFinished(() => seen.watch.close());
  return seen;
}

test('reports the photos that stand in the folder, and nothing else', async () => {
  const folder = await temporaryFolder();
  for (const name of ['a.jpg', 'B.JPEG', 'c.PnG', 'd.webp', '.hidden.jpg', 'notes.txt', 'jpg', '.jpg'])
    await writeFile(join(folder, name), name);
  await mkdir(join(folder, 'sub.jpg'));
  await mkdir(join(folder, '.gallery'));
  await writeFile(join(folder, '.gallery', 'e.jpg'), 'cache');
  await symlink('a.jpg', join(folder, 'link.jpg'));
  await symlink('nowhere', join(folder, 'dangling.jpg'));
  await symlink('circle.jpg', join(folder, 'circle.jpg'));
  const seen = watched(folder);
  await vi.waitFor(() => expect(seen.names()).toEqual(['B.JPEG', 'a.jpg', 'c.PnG', 'd.webp', 'link.jpg']), UNTIL);
});

test('reports an empty folder too, so that somebody can be ready', async () => {
  const seen = watched(await temporaryFolder());
  await vi.waitFor(() => expect(seen.firsts).toBe(1), UNTIL);
});

test('sees photos come, change and go', async () => {
  const folder = await temporaryFolder();
  const seen = watched(folder);
  await putFile(folder, 'a.jpg', 'one');
  await vi.waitFor(() => expect(seen.names()).toEqual(['a.jpg']), UNTIL);
  const before = seen.reports.get('a.jpg') as number;
  await putFile(folder, 'a.jpg', 'two'); // same name and size
  await vi.waitFor(() => expect(seen.reports.get('a.jpg')).toBe(before + 1), UNTIL);
  await rename(join(folder, 'a.jpg'), join(folder, 'b.jpg'));
  await vi.waitFor(() => expect(seen.names()).toEqual(['b.jpg']), UNTIL);
  await rm(join(folder, 'b.jpg'));
  await vi.waitFor(() => expect(seen.names()).toEqual([]), UNTIL);
});

test('sees new content behind the times of the old', async () => {
  const folder = await temporaryFolder();
  const longAgo = new Date('2020-01-01');
  await putFile(folder, 'a.jpg', 'one');
  await utimes(join(folder, 'a.jpg'), longAgo, longAgo);
  const seen = watched(folder);
  await vi.waitFor(() => expect(seen.names()).toEqual(['a.jpg']), UNTIL);
  const before = seen.reports.get('a.jpg') as number;
  await writeFile(join(folder, 'a.jpg'), 'two');
  await utimes(join(folder, 'a.jpg'), longAgo, longAgo);
  await vi.waitFor(() => expect(seen.reports.get('a.jpg')).toBeGreaterThan(before), UNTIL);
});

test('makes a folder that is missing, and follows one that is made anew', async () => {
  const folder = join(await temporaryFolder(), 'deep', 'known');
  const seen = watched(folder);
  await vi.waitFor(() => expect(seen.firsts).toBe(1), UNTIL);
  await putFile(folder, 'a.jpg', 'one');
  await vi.waitFor(() => expect(seen.names()).toEqual(['a.jpg']), UNTIL);
  await rename(folder, `${folder}-old`);
  await vi.waitFor(() => expect(seen.names()).toEqual([]), UNTIL);
  await putFile(folder, 'b.jpg', 'two');
  await vi.waitFor(() => expect(seen.names()).toEqual(['b.jpg']), UNTIL);
});

test('keeps what it saw while the folder cannot be read, and says so', async () => {
  const outer = await temporaryFolder();
  const folder = join(outer, 'known');
  await mkdir(join(outer, 'volume'));
  await symlink('volume', folder);
  await putFile(folder, 'a.jpg', 'one');
  const seen = watched(folder);
  await vi.waitFor(() => expect(seen.names()).toEqual(['a.jpg']), UNTIL);
  await putFile(outer, 'known', 'not a folder');
  await vi.waitFor(() => expect(seen.troubles).toEqual(['ENOTDIR']), UNTIL);
  expect(seen.names()).toEqual(['a.jpg']);
  await symlink('volume', join(outer, 'again'));
  await rename(join(outer, 'again'), folder);
  await vi.waitFor(() => expect(seen.troubles).toEqual(['ENOTDIR', undefined]), UNTIL);
  expect(seen.names()).toEqual(['a.jpg']);
});

test('reports again what it was told to forget, if it is there', async () => {
  const folder = await temporaryFolder();
  await putFile(folder, 'a.jpg', 'one');
  const seen = watched(folder);
  await vi.waitFor(() => expect(seen.reports.get('a.jpg')).toBe(1), UNTIL);
  seen.watch.forget(['a.jpg', 'b.jpg']);
  await vi.waitFor(() => expect(seen.reports.get('a.jpg')).toBe(2), UNTIL);
});
