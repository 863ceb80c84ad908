import { type Request, type Response, Router } from 'express';
import type { FrontendMetrics } from './metrics.ts';
import type { PeopleStore } from './people-store.ts';
import type { PhotoFolder } from './photo-folder.ts';
import { parseId } from './photo-query.ts';
import type { PhotoStore } from './photo-store.ts';
import type { Pictures, Variant } from './pictures.ts';

export type Dependencies = {
  photos: Pick<PhotoStore, 'pathOf' | 'faceOf'>;
  people: Pick<PeopleStore, 'knownName'>;
  unknownPeople: PhotoFolder;
  knownPeople: PhotoFolder;
  pictures: Pick<Pictures, 'get'>;
  metrics: Pick<FrontendMetrics, 'pictures'>;
};

const VARIANTS = new Set<Variant>(['thumb', 'large']);

/** Pictures of photos in the table; nothing else of the volumes is reachable. */
export function createPictureRoutes({ photos, people, unknownPeople, knownPeople, pictures, metrics }: Dependencies): Router {
  const router = Router();

  async function send(request: Request, response: Response, folder: PhotoFolder, path: string | undefined, variant: Variant) {
    const picture = path === undefined ? undefined : await pictures.get(folder, path, variant, request.headers['if-none-match']);
    metrics.pictures.inc({ result: picture === undefined ? 'none' : picture.body ? 'sent' : 'unchanged' });
    // Asked for again each time, since a photo may have been erased or replaced; what has not changed is not sent again.
    response.setHeader('cache-control', 'private, no-cache');
    if (picture === undefined) return response.status(404).type('text/plain').send('there is no such picture\n');
    response.setHeader('etag', picture.etag);
    if (!picture.body) return response.status(304).end();
    return response.type(picture.type).send(picture.body);
  }

  router.get('/pictures/:id/:variant', async (request, response, next) => {
    const id = parseId(request.params.id);
    const variant = request.params.variant as Variant;
    if (!id || !VARIANTS.has(variant)) return next();
    await send(request, response, unknownPeople, await photos.pathOf(id), variant);
  });

  router.get('/pictures/:id/faces/:face', async (request, response, next) => {
    const [id, face] = [parseId(request.params.id), parseId(request.params.face)];
    if (!id || !face) return next();
    const found = await photos.faceOf(id, face);
    await send(request, response, unknownPeople, found?.path, { face: found?.box ?? { x: 0, y: 0, width: 0, height: 0 } });
  });

  router.get('/known/:id/thumb', async (request, response, next) => {
    const id = parseId(request.params.id);
    if (!id) return next();
    await send(request, response, knownPeople, await people.knownName(id), 'thumb');
  });

  return router;
}
