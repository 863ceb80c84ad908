import { link, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { PhotoKind } from './photo-kind.ts';
import { syncFolder } from './sync-folder.ts';

const MAX_SLUG = 60;

/** A person's name as the beginning of file names: `Hannibal` → `hannibal`, `Zoë Müller` → `zoe_muller`. */
export function slugOf(name: string): string {
  const slug = name
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .slice(0, MAX_SLUG);
  return slug || 'person';
}

export type KnownPhotos = {
  /** Whether a file of this name stands in the folder. */
  has(imageName: string): Promise<boolean>;
  /** Names for new photos, `slug_1.jpg` and so on, above every number that a file or `taken` has. */
  freeNames(slug: string, kinds: readonly PhotoKind[], taken: readonly string[]): Promise<string[]>;
  /** Moves a temporary file of the folder to its name. Throws where another file has the name. */
  place(temporary: string, imageName: string): Promise<void>;
  remove(imageNames: readonly string[]): Promise<void>;
};

/** The folder of known people. A photo stands there whole or not at all. */
export function createKnownPhotos(folder: string): KnownPhotos {
  const exists = (file: string) =>
    stat(file).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return false;
        throw error;
      },
    );

  return {
    has: (imageName) => exists(join(folder, imageName)),

    async freeNames(slug, kinds, taken) {
      const pattern = new RegExp(`^${slug}_(\\d{1,9})\\.`);
      const numbers = [...(await readdir(folder)), ...taken].map((name) => Number(pattern.exec(name)?.[1] ?? 0));
      const highest = numbers.reduce((a, b) => Math.max(a, b), 0);
      return kinds.map((kind, index) => `${slug}_${highest + 1 + index}.${kind}`);
    },

    async place(temporary, imageName) {
      const file = join(folder, imageName);
      try {
        await link(temporary, file); // unlike a rename it never replaces
        await rm(temporary);
      } catch (error) {
        if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
        if (await exists(file)) throw error;
        await rename(temporary, file); // a file system without links
      }
      await syncFolder(folder);
    },

    async remove(imageNames) {
      await Promise.all(imageNames.map((imageName) => rm(join(folder, imageName), { force: true })));
      await syncFolder(folder);
    },
  };
}
