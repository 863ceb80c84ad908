import { type StatusWord, statusWord } from '@kube-face/shared-lib/image-status';
import { invalid } from './api-error.ts';
import type { GroupCommit, SubmittedImage } from './group-commit.ts';
import { faultOfText } from './image-path.ts';

export const MAX_IMAGES = 10_000;

/** What became of one posted photo, in the words of the API. */
export type PostedImage = {
  id?: number;
  path: string;
  status?: StatusWord;
  queued?: boolean;
  duplicate?: true;
  error?: { code: string; message: string };
};

export type Submission = { status: 200 | 207 | 400 | 409; images: PostedImage[] };

export type SubmitOptions = { token?: Buffer | undefined; traceParent?: string | undefined };

/** The path of one entry of a request, or what is wrong with it. */
function pathOf(entry: unknown): { path: string; fault?: string } {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    return { path: '', fault: 'must be an object with a field "path"' };
  }
  const path: unknown = 'path' in entry ? entry.path : undefined;
  if (path === undefined) return { path: '', fault: 'has no field "path"' };
  if (typeof path !== 'string') return { path: '', fault: 'path must be text' };
  const fault = faultOfText(path);
  return fault === undefined ? { path } : { path, fault: `path ${fault}` };
}

/** 200 all taken, 207 some, 409 none because all were posted before, 400 none. */
function statusOf(images: readonly PostedImage[]): Submission['status'] {
  const refused = images.filter(({ error }) => error !== undefined);
  if (refused.length === 0) return 200;
  if (refused.length < images.length) return 207;
  return images.every(({ error }) => error?.code !== 'invalid_path') ? 409 : 400;
}

/** An entry of the answer for a photo that was saved, or that had been before. */
export function postedImage(path: string, image: SubmittedImage): PostedImage {
  if (image.isNew) return { id: image.id, path, status: 'pending', queued: image.isQueued };
  return {
    id: image.id,
    path: image.path,
    status: statusWord(image.status),
    error: { code: 'already_posted', message: `image with path '${path}' already exists: it has id ${image.id}` },
  };
}

/**
 * Takes the photos of one request. Each has its own outcome, in the request's order: a bad path does not stop the others, and a
 * path that stands twice is an error of the second. Throws where nothing could be saved at all.
 */
export async function submitImages(
  { submit }: Pick<GroupCommit, 'submit'>,
  entries: readonly unknown[],
  { token, traceParent }: SubmitOptions = {},
): Promise<Submission> {
  if (entries.length === 0 || entries.length > MAX_IMAGES) throw invalid(`paths must have 1 to ${MAX_IMAGES} entries`);
  const seen = new Set<string>();
  const taken: number[] = [];
  const images = entries.map((entry, index): PostedImage => {
    const { path, fault } = pathOf(entry);
    if (fault !== undefined) return { path, error: { code: 'invalid_path', message: fault } };
    if (seen.has(path)) {
      return { path, error: { code: 'repeated_in_request', message: `image with path '${path}' stands in this request before` } };
    }
    seen.add(path);
    taken.push(index);
    return { path };
  });
  if (taken.length > 0) {
    const fresh = taken.map((index) => ({ path: images[index]?.path ?? '', ...(traceParent !== undefined && { traceParent }) }));
    const saved = await submit(fresh, token);
    for (const [place, index] of taken.entries()) {
      images[index] = postedImage(fresh[place]?.path ?? '', saved[place] as SubmittedImage);
    }
  }
  return { status: statusOf(images), images };
}
