import { constants, type FileHandle, open, realpath } from 'node:fs/promises';
import { resolve, sep } from 'node:path';

/** Photos are at most this large; nothing larger is read. */
export const MAX_PHOTO_BYTES = 20 * 1024 * 1024;

export type PhotoFile = {
  /** Changes whenever the file does. */
  readonly tag: string;
  read(): Promise<Buffer>;
  close(): Promise<void>;
};

export type PhotoFolder = {
  /** The file of a path, open; undefined where it is missing, no file, too large, or outside the folder. The caller closes it. */
  open(path: string): Promise<PhotoFile | undefined>;
};

// What the file system says of a path that leads to no photo that we may read; any other error is a fault of the volume.
const NO_PHOTO = new Set([
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'EACCES',
  'EPERM',
  'ENXIO',
  'ERR_INVALID_ARG_VALUE',
]);

function isNoPhoto(error: unknown): boolean {
  return error instanceof Error && 'code' in error && NO_PHOTO.has(String(error.code));
}

/**
 * The files under `root`. A relative path is taken from there, and one that begins with `alias` means that folder wherever it
 * is mounted. Symbolic links are followed and must end inside, too.
 */
export function createPhotoFolder(root: string, alias: string): PhotoFolder {
  async function openFile(path: string): Promise<PhotoFile | undefined> {
    const inside = path.startsWith(`${alias}/`) ? `.${path.slice(alias.length)}` : path;
    const folder = await realpath(root);
    const file = await realpath(resolve(folder, inside));
    if (!file.startsWith(folder.endsWith(sep) ? folder : folder + sep)) return undefined;
    // Not to wait for a pipe's writer, and not to follow a link that was put there since.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    try {
      const stat = await handle.stat({ bigint: true });
      if (stat.isFile() && stat.size > 0n && stat.size <= MAX_PHOTO_BYTES) {
        return {
          tag: [stat.dev, stat.ino, stat.size, stat.mtimeNs].map((part) => part.toString(36)).join('.'),
          read: () => readExactly(handle, Number(stat.size)),
          close: () => handle.close(),
        };
      }
    } catch (error) {
      await handle.close();
      throw error;
    }
    await handle.close();
    return undefined;
  }

  return {
    async open(path) {
      try {
        return await openFile(path);
      } catch (error) {
        if (isNoPhoto(error)) return undefined;
        throw error;
      }
    },
  };
}

/** The first `size` bytes: a file that grows meanwhile is not read any further. */
async function readExactly(handle: FileHandle, size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await handle.read(bytes, length, size - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}
