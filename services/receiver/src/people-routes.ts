import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { ApiError, invalid, notFound, withReason } from './api-error.ts';
import type { EnrolledPhoto, EnrolmentResult, EnrolPerson } from './enrol-person.ts';
import type { ErasePerson } from './erase-person.ts';
import type { ErasureStore } from './erasure-store.ts';
import { faultOfText } from './image-path.ts';
import { contentOf, receiveForm } from './multipart.ts';
import {
  Enrolment,
  ErasedPerson,
  ErasureJson,
  PersonDetail,
  PersonPage,
  RefusedEnrolment,
  RenameRequest,
} from './people-schemas.ts';
import type { PersonReader } from './person-reader.ts';
import type { RenamePerson } from './rename-person.ts';
import { type Once, type Reply, type Route, route } from './route.ts';
import { afterParameter, ErrorBody, idParameter, limitParameter } from './schemas.ts';

export type PeopleRouteDependencies = {
  enrol: EnrolPerson;
  people: PersonReader;
  /** Folder of known people. */
  folder: string;
  rename: RenamePerson;
  erase: ErasePerson;
  /** Told that there is work left of an erasing; answers whether it came to its end. */
  isSwept: (erasure: number) => Promise<boolean>;
  erasures: Pick<ErasureStore, 'get'>;
};

export function peopleRoutes(dependencies: PeopleRouteDependencies): Route[] {
  const { enrol, people, folder, rename, erase, isSwept, erasures } = dependencies;

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
      responses: {
        200: { description: 'The person is erased.', schema: ErasedPerson },
        202: {
          description:
            "The person is erased, and no answer names it; it is still being cleared from the rows of other people's faces, which " +
            'takes a while where there are many. The address in `Location` tells how far.',
          schema: ErasedPerson,
        },
      },
      handle: async ({ params: { id } }) => {
        const erased = await erase(id);
        if (!erased) throw notFound(`person ${id}`);
        const { name, photos, images, erasure } = erased;
        const status = (await isSwept(erasure)) ? 200 : 202;
        return { status, body: { person: { id, name }, photos, images }, headers: { location: `/erasures/${erasure}` } };
      },
    }),
    route({
      method: 'get',
      path: '/erasures/{id}',
      summary: 'How far an erasing is',
      tag: 'people',
      params: z.object({ id: idParameter }),
      responses: { 200: { description: 'Its state.', schema: ErasureJson } },
      handle: async ({ params: { id } }) => {
        const found = await erasures.get(id);
        if (!found) throw notFound(`erasure ${id}`);
        const { person, examined, changed, isSwept: finished } = found;
        return { status: 200, body: { id, person, examined, changed, finished } };
      },
    }),
  ];
}

/** The name to enrol under, without blanks around it. */
function nameOf(values: readonly string[] = []): string {
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
  const message = withReason(`no photo of ${name} can be used`, details);
  const error = { code: isTooLarge ? 'too_large' : 'no_usable_photo', message, details };
  return { status: isTooLarge ? 413 : 422, body: { error, images: photos.map(toJson) } };
}

function toJson(photo: EnrolledPhoto): z.output<typeof Enrolment>['images'][number] {
  return photo;
}
