import { OUTCOMES, STATUS_WORDS } from '@kube-face/shared-lib/image-status';
import { z } from 'zod';
import { MAX_IMAGES } from './submit-images.ts';

/** Names of schemas that several operations share; the description has each once. */
export const named = z.registry<{ id: string }>();

/** A number in a path or a query: digits only (`Number` would take " 5 " and "0x5" too). */
export const digits = (text: unknown) => (typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : text);
export const Id = z.int().min(1);
export const idParameter = z.preprocess(digits, Id);
export const limitParameter = (fallback: number, max: number) => z.preprocess(digits, z.int().min(1).max(max).default(fallback));
export const afterParameter = z.preprocess(digits, z.int().min(0).optional());

const Time = z.string().meta({ format: 'date-time' });

export const ErrorBody = z
  .object({
    error: z.object({
      code: z.string().describe('for programs'),
      message: z.string().describe('for people'),
      details: z
        .array(z.object({ field: z.string().optional(), message: z.string() }))
        .describe('which field, and what is allowed'),
    }),
  })
  .register(named, { id: 'Error' });

export const ItemError = z.object({ code: z.string(), message: z.string() }).register(named, { id: 'ItemError' });

export const PersonReference = z.object({ id: Id, name: z.string() }).register(named, { id: 'PersonReference' });

// ------------------------------------------------------------------------------------------------------------ requests

const PATH_WORDS =
  'Where the photo lies: inside the folder of unknown people, relative to it or beginning with /unknown_people/. ' +
  '1 to 255 bytes of UTF-8 without control characters, unique by its bytes.';

// For whoever reads the description; faultOfText is what checks, to the byte.
const NO_CONTROL = '[^\\u0000-\\u001f\\u007f-\\u009f]';

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

export const PersonName = z
  .string()
  .min(1)
  .max(255)
  .describe('1 to 255 bytes of UTF-8 without control characters, not only blanks')
  .meta({ pattern: `^${NO_CONTROL}*[^\\s\\u0000-\\u001f\\u007f-\\u009f]${NO_CONTROL}*$` });

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

export const RenameRequest = z.object({ name: PersonName }).register(named, { id: 'RenameRequest' });

export const RedecideRequest = z
  .object({
    threshold: z.number().gt(0).max(10).describe('largest distance at which two faces are one person'),
    dryRun: z.boolean().default(false).describe('only count what would change'),
  })
  .register(named, { id: 'RedecideRequest' });

// ------------------------------------------------------------------------------------------------------------- answers

export const PostedImage = z
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

export const Candidate = z
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
  history: z.array(Attempt).describe('earlier attempts that failed, oldest first'),
}).register(named, { id: 'PhotoWithHistory' });

export const PhotoPage = z
  .object({ images: z.array(Photo).describe('newest first'), next: Id.nullable().describe('`after` of the next page') })
  .register(named, { id: 'PhotoPage' });

// -------------------------------------------------------------------------------------------------------------- people

export const EnrolledImage = z
  .object({
    fileName: z.string().nullable().describe('as the client called it'),
    imageName: z.string().optional().describe('file name in the folder of known people'),
    status: z.enum(['enrolled', 'already_enrolled']).optional(),
    near: z
      .object({ person: PersonReference, imageName: z.string(), distance: z.number() })
      .optional()
      .describe('another person who has this face too, as far as recognition can tell'),
    error: ItemError.optional(),
  })
  .register(named, { id: 'EnrolledImage' });

export const Enrolment = z
  .object({ person: PersonReference, images: z.array(EnrolledImage).describe("in the request's order") })
  .register(named, { id: 'Enrolment' });

export const RefusedEnrolment = z
  .object({ error: ErrorBody.shape.error, images: z.array(EnrolledImage).optional() })
  .register(named, { id: 'RefusedEnrolment' });

export const Person = z
  .object({ id: Id, name: z.string(), imageCount: z.int(), createdAt: Time, updatedAt: Time })
  .register(named, { id: 'Person' });

export const PersonPage = z.object({ people: z.array(Person), next: Id.nullable() }).register(named, { id: 'PersonPage' });

export const PersonDetail = Person.extend({
  images: z.array(z.object({ imageName: z.string(), createdAt: Time })),
  changedPhotos: z.int().describe('earlier photos that got another person because of the photos added here'),
  redeciding: z.boolean().describe('earlier photos are being decided anew right now'),
}).register(named, { id: 'PersonDetail' });

export const ErasedPerson = z
  .object({
    person: PersonReference,
    photos: z.int().describe('known photos'),
    images: z.int().describe('photos it was recognised on'),
  })
  .register(named, { id: 'ErasedPerson' });

export const RedecisionJson = z
  .object({
    id: Id.nullable().describe('null where it was a dry run'),
    threshold: z.number().nullable(),
    person: Id.nullable(),
    examined: z.int().describe('faces'),
    changed: z.int().describe('photos that got another person'),
    finished: z.boolean(),
  })
  .register(named, { id: 'Redecision' });

// -------------------------------------------------------------------------------------------------------------- others

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

const Count = z.int().min(0);

export const StatsJson = z
  .object({
    images: z.object(Object.fromEntries(STATUS_WORDS.map((word) => [word, Count]))).describe('by status'),
    outcomes: z.object(Object.fromEntries(OUTCOMES.map((word) => [word, Count]))).describe('of processed and failed photos'),
    people: Count,
    queue: z
      .object({ depth: Count, inFlight: Count, deferred: Count })
      .nullable()
      .describe("what this receiver's nsqd holds; null where it does not say"),
    rates: z.object({ finishedLastMinute: Count, finishedLast5Minutes: Count, finishedLast15Minutes: Count }),
    asOf: Time,
  })
  .register(named, { id: 'Stats' });
