import type { IncomingHttpHeaders } from 'node:http';
import { type ApiError, type ErrorDetail, withReason } from './api-error.ts';
import { onOneLine } from './image-path.ts';
import type { PostedImage, Submission } from './submit-images.ts';

/** Which of the original's two posts is answered. */
export type PostKind = 'image' | 'images';

/** Whether a request is answered in JSON: only where its Accept names it, which a wildcard does not. */
export function namesJson({ accept = '' }: IncomingHttpHeaders): boolean {
  return accept.split(',').some((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    return type === 'application/json' && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}

function linesOf({ id, queued, error }: PostedImage): string {
  if (error) return `got error while saving image: ${onOneLine(error.message)}; moving on to next...\n`;
  return `image saved with id: ${id}\n${queued ? 'image sent to nsq' : 'error while sending image to queue: nsqd has not acknowledged it; it will be sent later'}\n`;
}

/** The original's answer, line by line. */
export function textAnswer(kind: PostKind, { images }: Submission): string {
  const paths = images.map(({ path }) => `{Path:${onOneLine(path)}}`);
  const head = kind === 'image' ? `got path: ${paths.join(' ')}\n` : `got paths: {Paths:[${paths.join(' ')}]}\n`;
  return head + images.map(linesOf).join('');
}

/** The original's word for a request that could not be read, or saved. */
export function textOfError(kind: PostKind, error: ApiError): string {
  const what = onOneLine(error.message);
  if (error.status !== 400 && error.status !== 413) return `got error while saving image: ${what}\n`;
  return `got error while decoding ${kind === 'image' ? 'body' : 'request body'}: ${what}\n`;
}

export type PostBody = {
  images: PostedImage[];
  error?: { code: string; message: string; details: ErrorDetail[] };
};

/** The answer in JSON; where nothing was taken it says so for the whole request too. */
export function jsonAnswer(kind: PostKind, { status, images }: Submission): PostBody {
  if (status < 400) return { images };
  const details = images.flatMap(({ error }, index) =>
    error ? [{ field: kind === 'image' ? 'path' : `paths[${index}].path`, message: error.message }] : [],
  );
  const error =
    status === 409
      ? { code: 'already_posted', message: 'every photo was posted before', details }
      : { code: 'none_taken', message: withReason('no photo was taken', details), details };
  return { error, images };
}
