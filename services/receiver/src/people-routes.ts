import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { ApiError, away, invalid, notFound } from './api-error.ts';
import type { EnrolledPhoto, EnrolmentResult, EnrolPerson } from './enrol-person.ts';
import type { ErasePerson } from './erase-person.ts';
import { GalleryError } from './gallery-client.ts';
import { faultOfText } from './image-path.ts';
import { contentOf, receiveForm } from './multipart.ts';
import type { PersonReader } from './person-reader.ts';
import type { Redecide } from './redecide.ts';
import type { RedecisionStore } from './redecision-store.ts';
import type { RenamePerson } from './rename-person.ts';
import { type Once, type Reply, type Route, route } from './route.ts';
import {
  afterParameter,
  Enrolment,
  ErasedPerson,
  ErrorBody,
  idParameter,
  limitParameter,
  PersonDetail,
  PersonPage,
  RedecideRequest,
  RedecisionJson,
  RefusedEnrolment,
  RenameRequest,
} from './schemas.ts';

export type PeopleRouteDependencies = {
  enrol: EnrolPerson;
  people: PersonReader;
  /** Folder of known people. */
  folder: string;
  rename: RenamePerson;
  erase: ErasePerson;
  redecisions: Pick<RedecisionStore, 'order' | 'get'>;
  rehearse: Redecide['rehearse'];
  /** Told that there is something to decide anew. */
  onOrdered: () => void;
};

export function peopleRoutes(dependencies: PeopleRouteDependencies): Route[] {
  const { enrol, people, folder, rename, erase, redecisions, rehearse, onOrdered } = dependencies;

  async function post(request: IncomingMessage, once: Once): Promise<Reply> {
    const form = await receiveForm(request, folder);
    try {
      const name = nameOf(form.fields.get('name'));
      if (form.photos.length === 0) throw invalid('there must be at least one photo in the field "image"');
      return await once(contentOf(form), async () => enrolmentReply(name, await enrol(name, form.photos)));
    } finally {
      await form.discard();
    }
  }

  return [
    route({
      method: 'post',
      path: '/people',
      summary: 'Enrol a person, or add photos to the one of that name',
      tag: 'people',
      multipart: { name: true },
      responses: {
        200: { description: 'The person has every photo now.', schema: Enrolment },
        201: { description: 'A new person, with every photo.', schema: Enrolment },
        207: { description: 'Some photos were refused.', schema: Enrolment },
        400: { description: 'The request is malformed.', schema: RefusedEnrolment },
        413: { description: 'The photos are too large.', schema: RefusedEnrolment },
        422: { description: 'No photo shows exactly one usable face.', schema: RefusedEnrolment },
      },
      handle: ({ request, once }) => post(request, once),
    }),
    route({
      method: 'get',
      path: '/people',
      summary: 'People',
      tag: 'people',
      query: z.object({ after: afterParameter, limit: limitParameter(1_000, 1_000) }),
      responses: { 200: { description: 'People by id.', schema: PersonPage } },
      handle: async ({ query: { after = 0, limit } }) => {
        const list = await people.list({ after, limit });
        return { status: 200, body: { people: list, next: list.length === limit ? (list.at(-1)?.id ?? null) : null } };
      },
    }),
    route({
      method: 'get',
      path: '/people/{id}',
      summary: 'One person',
      tag: 'people',
      params: z.object({ id: idParameter }),
      responses: { 200: { description: 'The person.', schema: PersonDetail } },
      handle: async ({ params: { id } }) => {
        const person = await people.get(id);
        if (!person) throw notFound(`person ${id}`);
        return { status: 200, body: person };
      },
    }),
    route({
      method: 'patch',
      path: '/people/{id}',
      summary: 'Rename a person',
      tag: 'people',
      params: z.object({ id: idParameter }),
      body: RenameRequest,
      responses: {
        200: { description: 'The person as it is now.', schema: PersonDetail },
        409: { description: 'Another person has this name.', schema: ErrorBody },
      },
      handle: async ({ params: { id }, body }) => {
        const name = nameOf([body.name]);
        const renaming = await rename(id, name);
        if (renaming.kind === 'taken') throw new ApiError(409, 'name_taken', `person ${renaming.by.id} has this name`);
        const person = renaming.kind === 'renamed' ? await people.get(id) : undefined;
        if (!person) throw notFound(`person ${id}`);
        return { status: 200, body: person };
      },
    }),
    route({
      method: 'delete',
      path: '/people/{id}',
      summary: 'Erase a person with photos, rows and descriptors',
      tag: 'people',
      params: z.object({ id: idParameter }),
      responses: { 200: { description: 'The person is erased.', schema: ErasedPerson } },
      handle: async ({ params: { id } }) => {
        const erased = await erase(id);
        if (!erased) throw notFound(`person ${id}`);
        const { name, photos, images } = erased;
        return { status: 200, body: { person: { id, name }, photos, images } };
      },
    }),
    route({
      method: 'post',
      path: '/redecisions',
      summary: 'Decide every stored face anew by another threshold',
      tag: 'people',
      body: RedecideRequest,
      responses: {
        200: { description: 'What would change (dry run).', schema: RedecisionJson },
        202: { description: 'It is under way; `GET /redecisions/{id}` tells how far.', schema: RedecisionJson },
      },
      handle: async ({ body: { threshold, dryRun } }) => {
        if (dryRun) {
          const counts = await orAway(rehearse(threshold));
          return { status: 200, body: { id: null, threshold, person: null, ...counts, finished: true } };
        }
        const id = await redecisions.order(threshold);
        onOrdered();
        const body = { id, threshold, person: null, examined: 0, changed: 0, finished: false };
        return { status: 202, body, headers: { location: `/redecisions/${id}` } };
      },
    }),
    route({
      method: 'get',
      path: '/redecisions/{id}',
      summary: 'How far a decision anew is',
      tag: 'people',
      params: z.object({ id: idParameter }),
      responses: { 200: { description: 'Its state.', schema: RedecisionJson } },
      handle: async ({ params: { id } }) => {
        const found = await redecisions.get(id);
        if (!found) throw notFound(`redecision ${id}`);
        const { threshold = null, person = null, examined, changed, isFinished } = found;
        return { status: 200, body: { id, threshold, person, examined, changed, finished: isFinished } };
      },
    }),
  ];
}

async function orAway<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof GalleryError) throw away('face_recognition_away', 'face recognition gives no answer', error);
    throw error;
  }
}

/** The name to enrol under, without blanks around it. */
export function nameOf(values: readonly string[] = []): string {
  const name = values[0]?.trim();
  if (values.length !== 1 || name === undefined)
    throw invalid('there must be one field "name"', [{ field: 'name', message: 'must be given once' }]);
  const fault = faultOfText(name);
  if (fault !== undefined) throw invalid(`name ${fault}`, [{ field: 'name', message: fault }]);
  return name;
}

/** 201 new person, 200 added, 207 some photos refused; 422 none taken, 413 where all were too large. */
function enrolmentReply(name: string, { person, isNew, photos }: EnrolmentResult): Reply {
  const refused = photos.flatMap((photo) => ('error' in photo ? [photo.error] : []));
  if (person && refused.length < photos.length) {
    const status = refused.length > 0 ? 207 : isNew ? 201 : 200;
    return { status, body: { person, images: photos.map(toJson) }, headers: { location: `/people/${person.id}` } };
  }
  const isTooLarge = refused.every(({ code }) => code === 'too_large');
  const details = photos.flatMap((photo, index) =>
    'error' in photo ? [{ field: `image[${index}]`, message: photo.error.message }] : [],
  );
  const error = { code: isTooLarge ? 'too_large' : 'no_usable_photo', message: `no photo of ${name} can be used`, details };
  return { status: isTooLarge ? 413 : 422, body: { error, images: photos.map(toJson) } };
}

function toJson(photo: EnrolledPhoto): z.output<typeof Enrolment>['images'][number] {
  return photo;
}
