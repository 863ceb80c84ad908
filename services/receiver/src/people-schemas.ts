import { z } from 'zod';
import { ErrorBody, Id, ItemError, NO_CONTROL, named, PersonReference, Time } from './schemas.ts';

// ------------------------------------------------------------------------------------------------------------ requests

export const PersonName = z
  .string()
  .min(1)
  .max(255)
  .describe('1 to 255 bytes of UTF-8 without control characters, not only blanks')
  .meta({ pattern: `^${NO_CONTROL}*[^\\s\\u0000-\\u001f\\u007f-\\u009f]${NO_CONTROL}*$` });

export const RenameRequest = z.object({ name: PersonName }).register(named, { id: 'RenameRequest' });

export const RedecideRequest = z
  .object({
    threshold: z.number().gt(0).max(10).describe('largest distance at which two faces are one person'),
    dryRun: z.boolean().default(false).describe('only count what would change'),
  })
  .register(named, { id: 'RedecideRequest' });

// ------------------------------------------------------------------------------------------------------------- answers

const EnrolledImage = z
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

export const ErasureJson = z
  .object({
    id: Id,
    person: Id.describe('who was erased'),
    examined: z.int().describe('faces'),
    changed: z.int().describe('faces that had the person among their candidates'),
    finished: z.boolean(),
  })
  .register(named, { id: 'Erasure' });

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
