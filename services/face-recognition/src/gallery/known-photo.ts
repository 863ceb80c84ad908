import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { KnownFace } from './cache-format.ts';
import type { DescriptorCache } from './descriptor-cache.ts';
import { isPhotoName, stampOf } from './photo-stamp.ts';

/** Why a known photo is not in the gallery. */
export const SKIP_REASONS = ['no_face', 'unreadable_image', 'too_large', 'unreadable_file', 'engine_failed'] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];
type FaultReason = Extract<SkipReason, 'unreadable_image' | 'too_large' | 'engine_failed'>;

export type KnownPhoto = {
  stamp: string;
  /** SHA-256 of its bytes in hexadecimal; empty where they could not be read. */
  photo: string;
  /** How many faces are on it; the largest counts. */
  faces: number;
  skipped: SkipReason | undefined;
};

export type LoadedPhoto = KnownPhoto & {
  descriptor: Float32Array | undefined;
  /** Written to so lately that it may be written to again without its times showing it: look once more. */
  isFresh: boolean;
  source: 'examined' | 'cache' | 'computed' | 'none';
};

/** `now`: somebody waits for it; `whenever`: behind everybody who waits. */
export type Urgency = 'now' | 'whenever';

/** What the engine is asked for one known photo. The bytes are handed over. An engine that closes or is full throws. */
export type FindFaces = (bytes: Uint8Array, urgency: Urgency) => Promise<KnownFace | { fault: FaultReason }>;

export type KnownPhotoReader = (name: string, options: LoadOptions) => Promise<LoadedPhoto | undefined>;
export type LoadOptions = { urgency: Urgency };

const MAX_PHOTO_BYTES = 20 * 1024 * 1024;

/** File systems tell times apart by up to 2 s (FAT; ext4 and NFS do better). */
export const FRESH_MS = 2_000;

export type KnownPhotoDependencies = {
  folder: string;
  cache: Pick<DescriptorCache, 'read' | 'write'>;
  /** By the hash of their bytes: photos whose faces are known though no cache has them yet. */
  examined: ReadonlyMap<string, KnownFace>;
  findFaces: FindFaces;
  now: () => number;
};

/**
 * Looks at one photo of the folder: by its content in the cache, else with the engine. Undefined where it is gone. Errors of the
 * file system other than a missing permission are thrown: they may pass.
 */
export function createKnownPhotoReader({ folder, cache, examined, findFaces, now }: KnownPhotoDependencies): KnownPhotoReader {
  async function look(bytes: Uint8Array<ArrayBuffer>, { urgency }: LoadOptions) {
    // Not on this thread: the digest is computed by the thread pool.
    const photo = Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex');
    const cached = await cache.read(photo);
    if (cached) return { photo, found: cached, source: 'cache' } as const;

    const known = examined.get(photo);
    const found = known ?? (await findFaces(bytes, urgency));
    if (!('fault' in found)) await cache.write(photo, found);
    return { photo, found, source: known ? 'examined' : 'computed' } as const;
  }

  async function readOpened(file: FileHandle, options: LoadOptions): Promise<LoadedPhoto | undefined> {
    const stat = await file.stat({ bigint: true });
    if (!stat.isFile()) return undefined;
    const stamp = stampOf(stat);
    const isFresh = now() - Math.max(Number(stat.mtimeMs), Number(stat.ctimeMs)) < FRESH_MS;
    const skip = (skipped: SkipReason, photo = ''): LoadedPhoto => {
      return { stamp, photo, faces: 0, skipped, descriptor: undefined, isFresh, source: 'none' };
    };
    if (stat.size > MAX_PHOTO_BYTES) return skip('too_large');

    const bytes = new Uint8Array(Number(stat.size));
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
      if (bytesRead === 0) return { ...skip('unreadable_image'), isFresh: true }; // cut short while it was read
      length += bytesRead;
    }
    const { photo, found, source } = await look(bytes, options);
    if ('fault' in found) return skip(found.fault, photo);
    if (!found.descriptor) return { ...skip('no_face', photo), source };
    return { stamp, photo, faces: found.faces, skipped: undefined, descriptor: found.descriptor, isFresh, source };
  }

  return async function readKnownPhoto(name, options) {
    if (!isPhotoName(name)) return undefined;
    let file: FileHandle;
    try {
      file = await open(join(folder, name), constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'ENAMETOOLONG') return undefined;
      if (code !== 'EACCES' && code !== 'EPERM') throw error;
      return {
        stamp: '',
        photo: '',
        faces: 0,
        skipped: 'unreadable_file',
        descriptor: undefined,
        isFresh: false,
        source: 'none',
      };
    }
    try {
      return await readOpened(file, options);
    } finally {
      await file.close();
    }
  };
}
