import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { type ApiError, notFound } from './api-error.ts';
import type { GroupCommit } from './group-commit.ts';
import type { ImageReader } from './image-reader.ts';
import { jsonAnswer, namesJson, type PostKind, textAnswer, textOfError } from './post-answers.ts';
import { type Reply, type Route, route } from './route.ts';
import { idParameter, PhotoWithHistory, PostedImages, PostImageRequest, PostImagesRequest, RefusedImages } from './schemas.ts';
import { type Submission, submitImages } from './submit-images.ts';
import type { UploadImages } from './upload-images.ts';

export type ImageRouteDependencies = {
  commits: GroupCommit;
  reader: ImageReader;
  upload: UploadImages;
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

export function imageRoutes({ commits, reader, upload }: ImageRouteDependencies): Route[] {
  return [
    route({
      method: 'post',
      path: '/image/post',
      summary: 'Post one photo by its path',
      tag: 'images',
      body: PostImageRequest,
      responses: postResponses,
      handle: async ({ body, request }) => renderPost('image', request, await submitImages(commits, [body])),
      renderError: renderPostError('image'),
    }),
    route({
      method: 'post',
      path: '/images/post',
      summary: 'Post 1 to 10,000 photos by their paths',
      tag: 'images',
      body: PostImagesRequest,
      responses: postResponses,
      handle: async ({ body, request }) => renderPost('images', request, await submitImages(commits, body.paths)),
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
      handle: ({ request }) => upload(request),
    }),
    route({
      method: 'get',
      path: '/images/{id}',
      summary: 'One photo with its faces',
      tag: 'images',
      params: z.object({ id: idParameter }),
      responses: { 200: { description: 'The photo.', schema: PhotoWithHistory } },
      handle: async ({ params: { id } }) => {
        const photo = await reader.get(id);
        if (!photo) throw notFound(`image ${id}`);
        return { status: 200, body: photo };
      },
    }),
  ];
}
