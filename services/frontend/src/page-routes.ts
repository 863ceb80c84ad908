import { NoTurnError } from '@kube-face/shared-lib/turns';
import { type Response, Router } from 'express';
import { type CountSource, hasUnwrittenOutcomes } from './counts.ts';
import { notFoundPage } from './pages/error-page.ts';
import type { Page } from './pages/layout.ts';
import { peoplePage, renderPersonCard } from './pages/people-page.ts';
import { photoPage } from './pages/photo-page.ts';
import { photosPage } from './pages/photos-page.ts';
import type { PeopleStore } from './people-store.ts';
import type { PhotoFolder } from './photo-folder.ts';
import { parseId, parsePhotoQuery, QueryError } from './photo-query.ts';
import type { PhotoStore } from './photo-store.ts';
import type { Pictures } from './pictures.ts';
import { paramsOf } from './request.ts';

export type Dependencies = {
  photos: Pick<PhotoStore, 'list' | 'detail'>;
  people: Pick<PeopleStore, 'choices' | 'list' | 'card'>;
  counts: Pick<CountSource, 'current'>;
  pictures: Pick<Pictures, 'sizeOf'>;
  unknownPeople: PhotoFolder;
  threshold: number;
  sendPage: (response: Response, page: Page, status?: number) => void;
};

// Of people to choose from: more than these are found on the people's page.
const FILTER_CHOICES = 200;
const CORRECTION_CHOICES = 1_000;

const NO_PHOTO = notFoundPage('There is no photo of this number.');

/** The pages that people read. */
export function createPageRoutes(dependencies: Dependencies): Router {
  const { photos, people, counts, pictures, unknownPeople, threshold, sendPage } = dependencies;
  const router = Router();

  /** A page without its picture still tells everything else. */
  async function sizeOf(path: string) {
    try {
      return await pictures.sizeOf(unknownPeople, path);
    } catch (error) {
      if (error instanceof NoTurnError) return undefined;
      throw error;
    }
  }

  router.get('/', async (request, response) => {
    const query = parsePhotoQuery(paramsOf(request.url));
    const counted = await counts.current();
    const readsOriginal = counted !== undefined && hasUnwrittenOutcomes(counted);
    const [list, choices] = await Promise.all([photos.list({ ...query, readsOriginal }), people.choices(FILTER_CHOICES)]);
    sendPage(response, photosPage({ query, list, people: choices, counts: counted }));
  });

  router.get('/photos/:id', async (request, response) => {
    const id = parseId(request.params.id);
    const detail = id && (await photos.detail(id));
    if (!detail) return sendPage(response, NO_PHOTO, 404);
    const [size, choices] = await Promise.all([sizeOf(detail.photo.path), people.choices(CORRECTION_CHOICES)]);
    return sendPage(response, photoPage({ ...detail, size, people: choices, threshold }));
  });

  router.get('/people', async (request, response) => {
    const params = paramsOf(request.url);
    const search = params.get('q')?.trim().slice(0, 255) || undefined;
    const after = params.get('after');
    const id = parseId(params.get('id') ?? '');
    if (after && !id) throw new QueryError('“id” must be the number of a person.');
    const place = after && id ? { name: after, id } : undefined;
    const list = await people.list({ search, after: place });
    sendPage(response, peoplePage({ list, search, isFirst: !place }));
  });

  // For the script, which puts it in the place of the card that it changed.
  router.get('/people/:id/card', async (request, response) => {
    const id = parseId(request.params.id);
    const card = id && (await people.card(id));
    response.setHeader('cache-control', 'no-store');
    if (!card) return void response.status(404).type('text/plain').send('there is no such person\n');
    return void response.type('html').send(renderPersonCard(card).toString());
  });

  return router;
}
