import { rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Busboy, type BusboyFileStream } from '@fastify/busboy';
import { ApiError, invalid } from './api-error.ts';
import { discardBody } from './json-body.ts';
import { MAX_PHOTO_BYTES, type ReceivedPhoto, storeTemporarily } from './temporary-photos.ts';

export const MAX_PHOTOS = 100;
const FILE_FIELD = 'image';
const IDLE_MS = 30_000;

export type Form = {
  /** Text fields by name; a repeated one keeps every value. */
  fields: ReadonlyMap<string, readonly string[]>;
  photos: readonly ReceivedPhoto[];
  /** Removes every temporary file that was not moved away. */
  discard(): Promise<void>;
};

/**
 * Reads a multipart request: photos go to temporary files in `folder` as they arrive, each with its own outcome. Throws 400 where
 * the request itself is malformed or broken off, and then keeps nothing.
 */
export async function receiveForm(request: IncomingMessage, folder: string): Promise<Form> {
  const fields = new Map<string, string[]>();
  const stored: Promise<ReceivedPhoto>[] = [];
  try {
    await parse(request, {
      onField: (name, value) => void fields.set(name, [...(fields.get(name) ?? []), value]),
      onFile: (stream, fileName) => {
        const photo = storeTemporarily(stream, folder, fileName);
        stored.push(photo);
        return photo;
      },
    });
    const photos = await Promise.all(stored);
    return { fields, photos, discard: () => discard(photos) };
  } catch (error) {
    discardBody(request);
    const settled = await Promise.allSettled(stored);
    await discard(settled.flatMap((one) => (one.status === 'fulfilled' ? one.value : [])));
    throw error;
  }
}

async function discard(photos: readonly ReceivedPhoto[]): Promise<void> {
  await Promise.all(photos.map(({ file }) => file !== undefined && rm(file, { force: true })));
}

/** What a form asks for, whatever boundary it was sent with. */
export function contentOf({ fields, photos }: Form): (string | Buffer)[] {
  return [JSON.stringify([...fields]), ...photos.map((photo) => photo.sha256 ?? photo.error.code)];
}

type Handlers = {
  onField: (name: string, value: string) => void;
  onFile: (stream: BusboyFileStream, fileName: string | null) => Promise<unknown>;
};

function parse(request: IncomingMessage, { onField, onFile }: Handlers): Promise<void> {
  return new Promise((resolve, reject) => {
    const type = request.headers['content-type'] ?? '';
    if (!/^multipart\/form-data\s*;/i.test(type)) return reject(invalid('the body must be multipart/form-data'));
    const open = new Set<BusboyFileStream>();
    const parser = parserOf(request, type);
    const timer = setTimeout(
      () => fail(new ApiError(408, 'slow_body', `nothing of the body came for ${IDLE_MS / 1000} s`)),
      IDLE_MS,
    );
    let isSettled = false;

    function settle(): boolean {
      if (isSettled) return false;
      isSettled = true;
      clearTimeout(timer);
      request.unpipe(parser);
      return true;
    }
    function fail(error: Error): void {
      if (!settle()) return;
      for (const stream of open) stream.destroy(error);
      reject(error);
    }
    const brokeOff = (cause?: unknown): void => fail(new ApiError(400, 'incomplete_body', 'the body broke off', { cause }));

    parser.on('field', (name, value, _nameTruncated, isTruncated) => {
      if (isTruncated) fail(invalid(`field ${name} is too long`));
      else onField(name, value);
    });
    parser.on('file', (field, stream, fileName) => {
      stream.on('error', brokeOff); // one that is thrown where nobody listens would end the process
      if (isSettled) return void stream.resume();
      if (field !== FILE_FIELD) {
        stream.resume();
        return fail(invalid(`photos go into the field "${FILE_FIELD}", not into "${field}"`));
      }
      open.add(stream);
      onFile(stream, fileName ? fileName : null)
        .catch(fail)
        .finally(() => open.delete(stream));
    });
    parser.on('filesLimit', () => fail(invalid(`a request may have ${MAX_PHOTOS} photos`)));
    parser.on('fieldsLimit', () => fail(invalid('the request has too many fields')));
    parser.on('error', brokeOff);
    parser.on('finish', () => {
      if (settle()) resolve();
    });
    request.on('data', () => timer.refresh());
    request.on('error', brokeOff);
    request.on('close', () => {
      if (!request.complete) brokeOff();
    });
    request.pipe(parser);
  });
}

function parserOf(request: IncomingMessage, type: string) {
  try {
    return new Busboy({
      headers: { ...request.headers, 'content-type': type },
      isPartAFile: (field, contentType, fileName) =>
        field === FILE_FIELD || fileName !== undefined || contentType === 'application/octet-stream',
      limits: {
        files: MAX_PHOTOS,
        fileSize: MAX_PHOTO_BYTES,
        fields: 20,
        fieldSize: 64 * 1024,
        headerPairs: 50,
        headerSize: 16_384,
      },
    });
  } catch (cause) {
    throw new ApiError(400, 'invalid_request', 'the body must be multipart/form-data with a boundary', { cause });
  }
}
