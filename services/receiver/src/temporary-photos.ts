import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { KIND_BYTES, type PhotoKind, photoKind } from './photo-kind.ts';
import { newTemporaryName } from './photo-names.ts';

export const MAX_PHOTO_BYTES = 20 * 1024 * 1024;

/** A photo that lies under a temporary name, or why it was refused. */
export type ReceivedPhoto = { fileName: string | null } & (
  | { file: string; sha256: Buffer; kind: PhotoKind; bytes: number; error?: never }
  | { error: { code: 'too_large' | 'unreadable_image'; message: string }; file?: never; sha256?: never }
);

/**
 * Writes a photo's bytes, as they come, to a temporary file in `folder`, and looks at them: what they are, how many, their hash.
 * A stream that breaks off throws, and leaves nothing behind.
 */
export async function storeTemporarily(
  stream: Readable & { readonly truncated?: boolean },
  folder: string,
  fileName: string | null,
): Promise<ReceivedPhoto> {
  const file = join(folder, newTemporaryName());
  const hash = createHash('sha256');
  const handle = await open(file, 'wx', 0o644);
  let head = Buffer.alloc(0);
  let kind: PhotoKind | undefined;
  let bytes = 0;
  let isComplete = false;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (head.length < KIND_BYTES) {
        head = Buffer.concat([head, chunk.subarray(0, KIND_BYTES - head.length)]);
        kind = photoKind(head);
      }
      // What cannot be a photo is read to its end, for the sake of what follows it in the request, but not kept.
      if (kind === undefined && head.length === KIND_BYTES) continue;
      hash.update(chunk);
      await handle.write(chunk);
    }
    const isTooLarge = stream.truncated === true;
    isComplete = kind !== undefined && !isTooLarge;
    if (isComplete) await handle.sync();
    if (isTooLarge) return refused(fileName, 'too_large', `a photo may have ${MAX_PHOTO_BYTES} bytes`);
    if (kind === undefined) {
      const what = bytes === 0 ? 'it is empty' : `${bytes} bytes that begin otherwise`;
      return refused(fileName, 'unreadable_image', `not a JPEG, PNG or WebP photo: ${what}`);
    }
    return { fileName, file, sha256: hash.digest(), kind, bytes };
  } finally {
    await handle.close();
    if (!isComplete) await rm(file, { force: true });
  }
}

function refused(fileName: string | null, code: 'too_large' | 'unreadable_image', message: string): ReceivedPhoto {
  return { fileName, error: { code, message } };
}
