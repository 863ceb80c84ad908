import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readlink, realpath } from 'node:fs/promises';
import { isAbsolute, resolve, sep } from 'node:path';
import type { FinalFailure } from '@kube-face/shared-lib/image-status';

/** Of an encoded photo; checked before a byte is read. */
export const MAX_PHOTO_BYTES = 20 * 1024 * 1024;

/** The folder's name in a path, wherever it is mounted. */
const FOLDER_PREFIX = '/unknown_people/';

// NONBLOCK: opening a FIFO that nobody writes to must not hang. NOFOLLOW: the last part of a real path is no link, unless
// somebody put one there in between.
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

export type PhotoFile = { bytes: Uint8Array } | { failure: FinalFailure; detail: string };

/** What the operating system says of a path that can't hold a photo, now or later. Other errors may pass. */
const FAILURES: Record<string, { failure: FinalFailure; detail: string } | undefined> = {
  ENOENT: { failure: 'missing_file', detail: 'no such file' },
  ENOTDIR: { failure: 'missing_file', detail: 'no such file' },
  ENAMETOOLONG: { failure: 'missing_file', detail: 'no file can have so long a name' },
  ERR_INVALID_ARG_VALUE: { failure: 'missing_file', detail: 'no file can have such a name' },
  ELOOP: { failure: 'missing_file', detail: 'the symbolic links lead nowhere' },
  EACCES: { failure: 'unreadable_image', detail: 'no permission to read the file' },
  EPERM: { failure: 'unreadable_image', detail: 'no permission to read the file' },
  ENXIO: { failure: 'unreadable_image', detail: 'not a regular file' },
  ENODEV: { failure: 'unreadable_image', detail: 'not a regular file' },
};

/** Where a path of a request leads: relative ones, and those under `/unknown_people/`, are taken from the folder. */
export function resolvePhotoPath(folder: string, path: string): string {
  if (path.startsWith(FOLDER_PREFIX)) return resolve(folder, `.${sep}${path.slice(FOLDER_PREFIX.length)}`);
  return isAbsolute(path) ? resolve(path) : resolve(folder, path);
}

function isInside(folder: string, path: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/**
 * Reads photos that lie inside `folder`, symbolic links resolved. The file's own faults come back as values; an error that may
 * pass (too many open files; FolderAwayError where the volume is away) is thrown. Nothing but a regular file is ever opened for longer than it
 * takes to see what it is.
 */
export function createPhotoReader(folder: string) {
  async function readInside(path: string): Promise<PhotoFile> {
    const outside: PhotoFile = { failure: 'outside_folder', detail: 'the path leads out of the folder of unknown people' };
    const wanted = resolvePhotoPath(folder, path);
    if (wanted === resolve(folder)) return { failure: 'unreadable_image', detail: 'not a regular file' };
    // Said before the disk is asked, so that nobody learns which files exist elsewhere.
    if (!isInside(resolve(folder), wanted)) return outside;

    const root = await realpathOfFolder(folder);
    const real = await realpath(wanted);
    if (!isInside(root, real)) return outside;
    if (!(await lstat(real)).isFile()) return { failure: 'unreadable_image', detail: 'not a regular file' };

    const file = await open(real, OPEN_FLAGS);
    try {
      return isInside(root, await openedPath(file, real)) ? await readOpened(file) : outside;
    } finally {
      await file.close();
    }
  }

  return async function readPhotoFile(path: string): Promise<PhotoFile> {
    try {
      return await readInside(path);
    } catch (error) {
      const failure = FAILURES[(error as NodeJS.ErrnoException).code ?? ''];
      if (failure) return failure;
      throw error;
    }
  };
}

/** The volume is not there: that says nothing about the photos on it. */
export class FolderAwayError extends Error {
  override readonly name = 'FolderAwayError';
}

async function realpathOfFolder(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch (cause) {
    throw new FolderAwayError('the folder of unknown people is away', { cause });
  }
}

/** The path of what is open, which a folder swapped for a link between the check and the opening cannot change any more. */
async function openedPath(file: FileHandle, path: string): Promise<string> {
  try {
    return await readlink(`/proc/self/fd/${file.fd}`);
  } catch {
    return await realpath(path); // no /proc on this system
  }
}

async function readOpened(file: FileHandle): Promise<PhotoFile> {
  const stat = await file.stat();
  if (!stat.isFile()) return { failure: 'unreadable_image', detail: 'not a regular file' };
  if (stat.size === 0) return { failure: 'unreadable_image', detail: 'the file is empty' };
  const tooLarge: PhotoFile = { failure: 'too_large', detail: `more than ${MAX_PHOTO_BYTES} bytes` };
  if (stat.size > MAX_PHOTO_BYTES) return tooLarge;

  const bytes = new Uint8Array(stat.size);
  let length = 0;
  while (length < bytes.length) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  const after = await file.stat();
  if (length !== stat.size || after.size !== stat.size || after.mtimeMs !== stat.mtimeMs) {
    throw new Error('the file was written to while it was read');
  }
  return { bytes };
}
