import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Logger } from '@kube-face/shared-lib/logger';
import {
  decodeEntry,
  decodePart,
  encodeEntry,
  encodePart,
  type IndexedPhoto,
  type KnownFace,
  PART_HEADER_BYTES,
  partBodyBytes,
} from './cache-format.ts';

export type DescriptorCache = {
  /** What was found on the photo with this hash; undefined where it is not known, or the entry is damaged. */
  read(photo: string): Promise<KnownFace | undefined>;
  write(photo: string, face: KnownFace): Promise<void>;
  remove(photo: string): Promise<void>;
  /** Removes entries that nobody uses and that are older than the grace: a neighbour may be ahead of us with new ones. */
  sweep(isUsed: (photo: string) => boolean): Promise<void>;
  /** The photos of last time, part by part; ends where the file ends or is damaged. */
  readIndex(): AsyncGenerator<IndexedPhoto[]>;
  writeIndex(parts: AsyncIterable<IndexedPhoto[]> | Iterable<IndexedPhoto[]>): Promise<void>;
};

export type DescriptorCacheOptions = {
  folder: string;
  model: { name: string; length: number };
  log: Logger;
  /** Milliseconds since the epoch. */
  now: () => number;
};

/** Longer than two pods that share the folder ever differ in what they see. */
export const SWEEP_GRACE_MS = 10 * 60_000;

/** No part that we write is nearly as long; a longer one is damage. */
const MAX_PART_BYTES = 256 * 1024 * 1024;

const ENTRY_NAME = /^[0-9a-f]{64}$/;

/** A model's name as that of a folder: readable, and never the same for two models. */
export function modelFolder(name: string): string {
  const readable = name.replace(/[^A-Za-z0-9_-]+/g, '_').slice(0, 64);
  return `${readable}-${createHash('sha256').update(name).digest('hex').slice(0, 8)}`;
}

/**
 * Descriptors on disk, one file a photo's content and model, so that several pods may share the folder: whoever writes, writes
 * the same. A folder that can't be read or written costs computing, never correctness: it is reported once, and done without.
 */
export function createDescriptorCache({ folder, model, log, now }: DescriptorCacheOptions): DescriptorCache {
  const home = join(folder, modelFolder(model.name));
  const indexPath = join(home, 'index');
  const entryPath = (photo: string) => join(home, photo.slice(0, 2), photo);
  let reported = false;

  function report(error: unknown, what: string): void {
    if (!reported) log.warn({ error, folder }, `the cache of descriptors cannot be ${what}; going on without`);
    reported = true;
  }

  async function writeWhole(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
    const temporary = `${path}.${randomUUID()}.tmp`;
    try {
      await mkdir(dirname(path), { recursive: true });
      await write(temporary);
      await rename(temporary, path);
    } catch (error) {
      report(error, 'written');
      await unlink(temporary).catch(() => {});
    }
  }

  async function unlinkIfThere(path: string): Promise<void> {
    try {
      await unlink(path);
    } catch (error) {
      if (!isAbsent(error)) report(error, 'written');
    }
  }

  async function sweepFile(path: string, name: string, isUsed: (photo: string) => boolean): Promise<void> {
    const isLeftOver = name.endsWith('.tmp') || (ENTRY_NAME.test(name) && !isUsed(name));
    if (isLeftOver && now() - (await stat(path)).mtimeMs > SWEEP_GRACE_MS) await unlinkIfThere(path);
  }

  return {
    async read(photo) {
      try {
        return decodeEntry(await readFile(entryPath(photo)), model.name, photo, model.length);
      } catch (error) {
        if (!isAbsent(error)) report(error, 'read');
        return undefined;
      }
    },
    write: (photo, face) => writeWhole(entryPath(photo), (path) => writeFile(path, encodeEntry(model.name, photo, face))),
    remove: (photo) => unlinkIfThere(entryPath(photo)),
    async sweep(isUsed) {
      try {
        for (const entry of await readdir(home, { withFileTypes: true })) {
          const path = join(home, entry.name);
          if (!entry.isDirectory()) await sweepFile(path, entry.name, isUsed);
          else for (const name of await readdir(path)) await sweepFile(join(path, name), name, isUsed);
        }
      } catch (error) {
        if (!isAbsent(error)) report(error, 'swept'); // a neighbour that sweeps too is no trouble
      }
    },
    async *readIndex() {
      let file: FileHandle | undefined;
      try {
        file = await open(indexPath);
        for (;;) {
          const header = await readExactly(file, PART_HEADER_BYTES);
          const bytes = header && partBodyBytes(header);
          const body = bytes !== undefined && bytes <= MAX_PART_BYTES ? await readExactly(file, bytes) : undefined;
          const photos = header && body && decodePart(header, body, model.name, model.length);
          if (!photos) return;
          yield photos;
        }
      } catch (error) {
        if (!isAbsent(error)) report(error, 'read');
      } finally {
        await file?.close();
      }
    },
    writeIndex: (parts) =>
      writeWhole(indexPath, async (path) => {
        const file = await open(path, 'wx');
        try {
          for await (const photos of parts) await file.writeFile(encodePart(model.name, photos));
        } finally {
          await file.close();
        }
      }),
  };
}

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

async function readExactly(file: FileHandle, bytes: number): Promise<Buffer | undefined> {
  const buffer = Buffer.allocUnsafe(bytes);
  let length = 0;
  while (length < bytes) {
    const { bytesRead } = await file.read(buffer, length, bytes - length, null);
    if (bytesRead === 0) return undefined;
    length += bytesRead;
  }
  return buffer;
}
