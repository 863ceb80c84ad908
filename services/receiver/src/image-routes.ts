import type { IncomingMessage } from 'node:http';
import { OUTCOMES, STATUS_WORDS } from '@kube-face/shared-lib/image-status';
import { z } from 'zod';
import { ApiError, notFound } from './api-error.ts';
import type { CorrectFace } from './correct-face.ts';
import type { EraseImage } from './erase-image.ts';
import type { GroupCommit } from './group-commit.ts';
import type { ImageReader } from './image-reader.ts';
import {
  CorrectRequest,
  ErasedImage,
  PhotoPage,
  PhotoWithHistory,
  PostedImages,
  PostImageRequest,
  PostImagesRequest,
  RefusedImages,
  RetriedImages,
  RetryRequest,
} from './image-schemas.ts';
import { jsonAnswer, namesJson, type PostKind, textAnswer, textOfError } from './post-answers.ts';
import type { RetriedImage, RetryImages } from './retry-images.ts';
import { type Reply, type Route, type RouteRequest, route } from './route.ts';
import { afterParameter, digits, ErrorBody, Id, idParameter, limitParameter } from './schemas.ts';
import { type PostedImage, type Submission, submitImages } from './submit-images.ts';
import type { UploadImages } from './upload-images.ts';

export type ImageRouteDependencies = {
  commits: Pick<GroupCommit, 'submit'>;
  reader: ImageReader;
  upload: UploadImages;
  erase: EraseImage;
  retry: RetryImages;
  correct: CorrectFace;
  /** Told what became of posted photos. */
  onPosted: (images: readonly PostedImage[]) => void;
};

const TEXT = 'text/plain';
const postResponses = {
  200: { description: 'Every photo was taken.', schema: PostedImages, text: TEXT },
  207: { description: 'Some photos were taken.', schema: PostedImages, text: TEXT },
  400: { description: 'The request is malformed, or no photo was taken.', schema: RefusedImages, text: TEXT },
  409: { description: 'Every photo was posted before; the answer has their ids.', schema: RefusedImages, text: TEXT },
};

/** The two posts answer as the original does, line by line, unless JSON is asked for by name. */
function renderPost(kind: PostKind, request: IncomingMessage, submission: Submission): Reply {
  const body = namesJson(request.headers) ? jsonAnswer(kind, submission) : textAnswer(kind, submission);
  return { status: submission.status, body };
}

const renderPostError = (kind: PostKind) => (error: ApiError, request: IncomingMessage) =>
  namesJson(request.headers) ? undefined : { status: error.status, body: textOfError(kind, error) };

export function imageRoutes(dependencies: ImageRouteDependencies): Route[] {
  const { commits, reader, upload, erase, retry, correct, onPosted } = dependencies;

  type Posted = Pick<RouteRequest<undefined, undefined, undefined>, 'request' | 'token' | 'traceParent'>;

  async function post(kind: PostKind, entries: readonly unknown[], { request, token, traceParent }: Posted) {
    const submission = await submitImages(commits, entries, { token, traceParent });
    onPosted(submission.images);
    return renderPost(kind, request, submission);
  }

  async function photo(id: number): Promise<Reply> {
    const found = await reader.get(id);
    if (!found) throw notFound(`image ${id}`);
    return { status: 200, body: found };
  }

  return [
    route({
      method: 'post',
      path: '/image/post',
      summary: 'Post one photo by its path',
      tag: 'images',
      body: PostImageRequest,
      responses: postResponses,
      handle: (posted) => post('image', [posted.body], posted),
      renderError: renderPostError('image'),
    }),
    route({
      method: 'post',
      path: '/images/post',
      summary: 'Post 1 to 10,000 photos by their paths',
      tag: 'images',
      body: PostImagesRequest,
      responses: postResponses,
      handle: (posted) => post('images', posted.body.paths, posted),
      renderError: renderPostError('images'),
    }),
    route({
      method: 'post',
      path: '/image/upload',
      summary: 'Upload photos',
      tag: 'images',
      multipart: {},
      responses: {
        200: { description: 'Every photo was taken, or had been before.', schema: PostedImages },
        207: { description: 'Some photos were taken.', schema: PostedImages },
        400: { description: 'The request is malformed, or no photo was taken.', schema: RefusedImages },
        413: { description: 'The photos are too large.', schema: RefusedImages },
      },
      handle: ({ request, once, traceParent }) => upload(request, once, traceParent),
    }),
    route({
      method: 'get',
      path: '/images/{id}',
      summary: 'One photo with its faces',
      tag: 'images',
      params: z.object({ id: idParameter }),
      responses: { 200: { description: 'The photo.', schema: PhotoWithHistory } },
      handle: ({ params: { id } }) => photo(id),
    }),
    route({
      method: 'get',
      path: '/images',
      summary: 'Photos, newest first, by pages',
      tag: 'images',
      query: z.object({
        status: z.enum(STATUS_WORDS).optional(),
        outcome: z.enum(OUTCOMES).optional(),
        person: z.preprocess(digits, Id.optional()).describe('id of the person that was recognised'),
        after: afterParameter.describe('the last id of the page before'),
        limit: limitParameter(50, 500),
      }),
      responses: { 200: { description: 'A page.', schema: PhotoPage } },
      handle: async ({ query }) => {
        const images = await reader.page(query);
        return { status: 200, body: { images, next: images.length === query.limit ? (images.at(-1)?.id ?? null) : null } };
      },
    }),
    route({
      method: 'delete',
      path: '/images/{id}',
      summary: 'Erase a photo, and its file where it was uploaded',
      tag: 'images',
      params: z.object({ id: idParameter }),
      responses: { 200: { description: 'It is erased.', schema: ErasedImage } },
      handle: async ({ params: { id } }) => {
        if (!(await erase(id))) throw notFound(`image ${id}`);
        return { status: 200, body: { id, erased: true } };
      },
    }),
    route({
      method: 'post',
      path: '/images/retry',
      summary: 'Put photos back into the queue',
      tag: 'images',
      body: RetryRequest,
      responses: {
        200: { description: 'They are pending again.', schema: RetriedImages },
        207: { description: 'Some of them are.', schema: RetriedImages },
        404: { description: 'There is none with these ids.', schema: ErrorBody },
        409: { description: 'None of them is processed or failed.', schema: ErrorBody },
      },
      handle: async ({ body }) => ('ids' in body ? byIds(body.ids) : { status: 200, body: await retry.failed(body.outcome) }),
    }),
    route({
      method: 'post',
      path: '/images/{id}/faces/{face}/person',
      summary: "Correct a face's person by hand",
      tag: 'images',
      params: z.object({ id: idParameter, face: idParameter }),
      body: CorrectRequest,
      responses: { 200: { description: 'The photo as it is now.', schema: PhotoWithHistory } },
      handle: async ({ params: { id, face }, body: { person } }) => {
        const correction = await correct(id, face, person);
        if (correction === 'no_such_image') throw notFound(`image ${id}`);
        if (correction === 'no_such_face') throw notFound(`face ${face} of image ${id}`);
        if (correction === 'no_such_person') throw notFound(`person ${person}`);
        return photo(id);
      },
    }),
  ];

  async function byIds(ids: readonly number[]): Promise<Reply> {
    const images = await retry.byIds(ids);
    const back = images.filter(({ error }) => error === undefined);
    if (back.length === 0) {
      const areMissing = images.every(({ error }) => error?.code === 'not_found');
      const details = images.map(({ error }, index) => ({ field: `ids[${index}]`, message: error?.message ?? '' }));
      throw areMissing
        ? new ApiError(404, 'not_found', 'none of these images exists', { details })
        : new ApiError(409, 'not_finished', 'none of these images is processed or failed', { details });
    }
    const count = (some: readonly RetriedImage[]) => new Set(some.map(({ id }) => id)).size; // an id may stand there twice
    const queued = count(back.filter((image) => image.queued));
    return { status: back.length < images.length ? 207 : 200, body: { retried: count(back), queued, images } };
  }
}
