import { OUTCOMES, STATUS_WORDS } from '@kube-face/shared-lib/image-status';
import { z } from 'zod';
import { ErrorBody, Id, ItemError, NO_CONTROL, named, PersonReference, Time } from './schemas.ts';
import { MAX_IMAGES } from './submit-images.ts';

// ------------------------------------------------------------------------------------------------------------ requests

const PATH_WORDS =
  'Where the photo lies: inside the folder of unknown people, relative to it or beginning with /unknown_people/. ' +
  '1 to 255 bytes of UTF-8 without control characters, unique by its bytes.';

export const PostImageRequest = z
  .object({
    path: z
      .string()
      .min(1)
      .max(255)
      .describe(PATH_WORDS)
      .meta({ pattern: `^${NO_CONTROL}+$` }),
  })
  .register(named, { id: 'PostImageRequest' });

export const PostImagesRequest = z
  .object({
    paths: z
      .array(z.unknown())
      .min(1)
      .max(MAX_IMAGES)
      .describe('Objects with a field `path`, as in `POST /image/post`. An entry that is none is refused by itself.')
      .meta({ contains: { $ref: '#/components/schemas/PostImageRequest' }, examples: [[{ path: 'a.jpg' }, { path: 'b.jpg' }]] }),
  })
  .register(named, { id: 'PostImagesRequest' });

export const RetryRequest = z
  .union(
    [
      z.object({ ids: z.array(Id).min(1).max(MAX_IMAGES).describe('processed or failed photos') }),
      z.object({
        status: z.literal('failed'),
        outcome: z.enum(OUTCOMES).optional().describe('only those that failed for this reason'),
      }),
    ],
    'must be {"ids":[…]} or {"status":"failed"}, the latter with or without "outcome"',
  )
  .register(named, { id: 'RetryRequest' });

export const CorrectRequest = z
  .object({ person: Id.nullable().describe('id of the person, or null for nobody') })
  .register(named, { id: 'CorrectRequest' });

// ------------------------------------------------------------------------------------------------------------- answers

const PostedImage = z
  .object({
    id: Id.optional(),
    path: z.string(),
    status: z.enum(STATUS_WORDS).optional(),
    queued: z.boolean().optional().describe('nsqd has acknowledged it; false: saved, and queued later'),
    duplicate: z.literal(true).optional().describe('the same bytes were uploaded before: this is their entry'),
    error: ItemError.optional(),
  })
  .register(named, { id: 'PostedImage' });

export const PostedImages = z
  .object({ images: z.array(PostedImage).describe("in the request's order") })
  .register(named, { id: 'PostedImages' });

export const RefusedImages = z
  .object({ error: ErrorBody.shape.error, images: z.array(PostedImage).optional() })
  .register(named, { id: 'RefusedImages' });

const Box = z
  .object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() })
  .describe('pixels of the upright photo')
  .register(named, { id: 'Box' });

const Candidate = z
  .object({ person: PersonReference, imageName: z.string(), distance: z.number() })
  .register(named, { id: 'Candidate' });

export const Face = z
  .object({
    id: Id,
    box: Box,
    score: z.number().describe("the detector's, 0 to 1"),
    person: PersonReference.nullable(),
    imageName: z.string().nullable().describe('the known photo that this face matched'),
    distance: z.number().nullable().describe('to that photo, or to the nearest one'),
    candidates: z.array(Candidate).describe('the nearest three people'),
    corrected: z.boolean().describe('a hand set the person; recognition leaves it alone'),
  })
  .register(named, { id: 'Face' });

export const Photo = z
  .object({
    id: Id,
    path: z.string(),
    status: z.enum(STATUS_WORDS),
    outcome: z.enum(OUTCOMES).nullable().describe('null while pending or processing'),
    detail: z.string().nullable().describe('the reason of a failure, or what is waited for'),
    person: PersonReference.nullable().describe('of the best face'),
    faces: z.array(Face).describe('largest first'),
    attempts: z.int(),
    createdAt: Time,
    updatedAt: Time,
    finishedAt: Time.nullable(),
  })
  .register(named, { id: 'Photo' });

export const Attempt = z.object({ startedAt: Time, finishedAt: Time, outcome: z.string(), detail: z.string().nullable() });
export const PhotoWithHistory = Photo.extend({
  history: z.array(Attempt).describe('attempts, oldest first'),
}).register(named, { id: 'PhotoWithHistory' });

export const PhotoPage = z
  .object({ images: z.array(Photo).describe('newest first'), next: Id.nullable().describe('`after` of the next page') })
  .register(named, { id: 'PhotoPage' });

export const ErasedImage = z.object({ id: Id, erased: z.literal(true) }).register(named, { id: 'ErasedImage' });

export const RetriedImages = z
  .object({
    retried: z.int(),
    queued: z.int().describe('of these, how many nsqd has acknowledged; the others are queued later'),
    images: z
      .array(
        z.object({
          id: Id,
          status: z.enum(STATUS_WORDS).optional(),
          queued: z.boolean().optional(),
          error: ItemError.optional(),
        }),
      )
      .optional()
      .describe("for `ids`, in the request's order"),
  })
  .register(named, { id: 'RetriedImages' });
