import { z } from 'zod';
import { away, notFound } from './api-error.ts';
import { GalleryError } from './gallery-client.ts';
import { RedecideRequest, RedecisionJson } from './people-schemas.ts';
import type { Redecide } from './redecide.ts';
import type { RedecisionStore } from './redecision-store.ts';
import { type Route, route } from './route.ts';
import { idParameter } from './schemas.ts';

export type RedecisionRouteDependencies = {
  redecisions: Pick<RedecisionStore, 'order' | 'get'>;
  rehearse: Redecide['rehearse'];
  /** Told that there is something to decide anew. */
  onOrdered: () => void;
};

export function redecisionRoutes({ redecisions, rehearse, onOrdered }: RedecisionRouteDependencies): Route[] {
  return [
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
