import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { invalid, notFound } from './api-error.ts';
import type { EnrolledPhoto, EnrolmentResult, EnrolPerson } from './enrol-person.ts';
import { faultOfText } from './image-path.ts';
import { receiveForm } from './multipart.ts';
import type { PersonReader } from './person-reader.ts';
import { type Reply, type Route, route } from './route.ts';
import { afterParameter, Enrolment, idParameter, limitParameter, PersonDetail, PersonPage, RefusedEnrolment } from './schemas.ts';

export type PeopleRouteDependencies = {
  enrol: EnrolPerson;
  people: PersonReader;
  /** Folder of known people. */
  folder: string;
};

export function peopleRoutes({ enrol, people, folder }: PeopleRouteDependencies): Route[] {
  async function post(request: IncomingMessage): Promise<Reply> {
    const form = await receiveForm(request, folder);
    try {
      const name = nameOf(form.fields.get('name'));
      if (form.photos.length === 0) throw invalid('there must be at least one photo in the field "image"');
      return enrolmentReply(name, await enrol(name, form.photos));
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
      handle: ({ request }) => post(request),
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
  ];
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
