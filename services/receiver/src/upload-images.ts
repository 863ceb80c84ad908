import { rename, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { ImageStatus } from '@kube-face/shared-lib/image-status';
import { ApiError, invalid, withReason } from './api-error.ts';
import type { GroupCommit, SubmittedImage } from './group-commit.ts';
import { UndecidedError } from './image-writer.ts';
import { contentOf, type Form, receiveForm } from './multipart.ts';
import { newUploadName, uploadPath } from './photo-names.ts';
import type { Once, Reply } from './route.ts';
import { type PostedImage, postedImage } from './submit-images.ts';
import { syncFolder } from './sync-folder.ts';
import type { ReceivedPhoto } from './temporary-photos.ts';

export type UploadImages = (request: IncomingMessage, once: Once, traceParent?: string) => Promise<Reply>;

export type UploadDependencies = {
  commits: Pick<GroupCommit, 'submit'>;
  /** Folder of unknown people. */
  folder: string;
  onPosted: (images: readonly PostedImage[]) => void;
};

type Stored = { photo: Extract<ReceivedPhoto, { file: string }>; path: string; file: string };

/**
 * Stores uploaded photos and posts them. A photo's file stands before its row does: a crash in between leaves a file that
 * nobody names (see sweep-leftovers), never a row without a file.
 */
export function createUploadImages({ commits, folder, onPosted }: UploadDependencies): UploadImages {
  async function place(photo: Stored['photo']): Promise<Stored> {
    const name = newUploadName(photo.kind);
    const file = join(folder, name);
    await rename(photo.file, file);
    return { photo, file, path: uploadPath(name) };
  }

  async function save(stored: readonly Stored[], traceParent: string | undefined): Promise<SubmittedImage[]> {
    if (stored.length === 0) return [];
    await syncFolder(folder);
    try {
      const saved = await commits.submit(
        stored.map(({ path, photo }) => ({ path, sha256: photo.sha256, ...(traceParent !== undefined && { traceParent }) })),
      );
      await Promise.all(saved.map((image, index) => !image.isNew && rm(stored[index]?.file ?? '', { force: true })));
      return saved;
    } catch (error) {
      // Rows that may have been saved keep their files.
      if (!(error instanceof UndecidedError)) await Promise.all(stored.map(({ file }) => rm(file, { force: true })));
      throw error;
    }
  }

  return async (request, once, traceParent) => {
    const form = await receiveForm(request, folder);
    try {
      if (form.photos.length === 0) throw invalid('there must be at least one photo in the field "image"');
      return await once(contentOf(form), () => take(form, traceParent));
    } finally {
      await form.discard();
    }
  };

  async function take(form: Form, traceParent: string | undefined): Promise<Reply> {
    const photos = form.photos.flatMap((photo) => (photo.file === undefined ? [] : [photo]));
    const stored = await Promise.all(photos.map(place));
    const saved = await save(stored, traceParent);
    const outcomes = new Map(photos.map((photo, index) => [photo.file, uploadedImage(stored[index], saved[index])]));
    const images = form.photos.map((photo): PostedImage => {
      const outcome = photo.file === undefined ? undefined : outcomes.get(photo.file);
      return outcome ?? { path: photo.fileName ?? '', ...(photo.error && { error: photo.error }) };
    });
    onPosted(images);
    return answer(images);
  }
}

/** Bytes that are stored already are no fault: the answer is their entry. */
function uploadedImage(stored: Stored | undefined, saved: SubmittedImage | undefined): PostedImage | undefined {
  if (!stored || !saved) return undefined;
  const { error, ...entry } = postedImage(stored.path, saved);
  // Whoever works on a photo, or has, knows of it from the queue; that it was queued is written down a little later.
  const isQueued = saved.isQueued || (!saved.isNew && saved.status !== ImageStatus.Pending);
  return error ? { ...entry, queued: isQueued, duplicate: true } : entry;
}

function answer(images: PostedImage[]): Reply {
  const refused = images.flatMap(({ error }) => error ?? []);
  if (refused.length === 0) return { status: 200, body: { images } };
  if (refused.length < images.length) return { status: 207, body: { images } };
  const isTooLarge = refused.every(({ code }) => code === 'too_large');
  const details = refused.map(({ message }, index) => ({ field: `image[${index}]`, message }));
  const error = isTooLarge
    ? new ApiError(413, 'too_large', 'every photo is too large', { details })
    : new ApiError(400, 'none_taken', withReason('no photo was taken', details), { details });
  return { status: error.status, body: { error: { code: error.code, message: error.message, details }, images } };
}
