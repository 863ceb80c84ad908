import { type Request, type Response, Router } from 'express';
import { BusyError } from './gate.ts';
import type { FrontendMetrics } from './metrics.ts';
import type { PhotoFolder } from './photo-folder.ts';
import { parseId } from './photo-query.ts';
import type { PhotoStore } from './photo-store.ts';
import type { Pictures, Variant } from './pictures.ts';

export type Dependencies = {
  photos: Pick<PhotoStore, 'pathOf'>;
  unknownPeople: PhotoFolder;
  pictures: Pick<Pictures, 'get'>;
  metrics: Pick<FrontendMetrics, 'pictures'>;
};

const VARIANTS = new Set<Variant>(['thumb', 'large']);

/** Pictures of photos in the table; nothing else of the volumes is reachable. */
export function createPictureRoutes({ photos, unknownPeople, pictures, metrics }: Dependencies): Router {
  const router = Router();

  async function send(request: Request, response: Response, folder: PhotoFolder, path: string | undefined, variant: Variant) {
    const picture = path === undefined ? undefined : await pictures.get(folder, path, variant, request.headers['if-none-match']);
    metrics.pictures.inc({ result: picture === undefined ? 'none' : picture === 'unchanged' ? 'unchanged' : 'sent' });
    // Asked for again each time, since a photo may have been erased or replaced; what has not changed is not sent again.
    response.setHeader('cache-control', 'private, no-cache');
    if (picture === undefined) return response.status(404).type('text/plain').send('there is no such picture\n');
    if (picture === 'unchanged') return response.status(304).end();
    response.setHeader('etag', picture.etag);
    return response.type(picture.type).send(picture.body);
  }

  router.get('/pictures/:id/:variant', async (request, response, next) => {
    const id = parseId(request.params.id);
    const variant = request.params.variant as Variant;
    if (!id || !VARIANTS.has(variant)) return next();
    await send(request, response, unknownPeople, await photos.pathOf(id), variant);
  });

  return router;
}

/** Whether the picture may be had a moment later. */
export function isBusy(error: unknown): boolean {
  return error instanceof BusyError;
}
