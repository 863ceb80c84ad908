import { mkdir } from 'node:fs/promises';
import type { Logger } from '@kube-face/shared-lib/logger';
import { createAdmission } from './admission.ts';
import type { Config } from './config.ts';
import { createDecideFaces, type DecideFaces } from './decide-faces.ts';
import { EngineError, type EnginePool, PhotoError } from './engine/engine.ts';
import { createEnrolSession, type EnrolSession } from './enrol-photos.ts';
import type { KnownFace } from './gallery/cache-format.ts';
import { createDescriptorCache } from './gallery/descriptor-cache.ts';
import { watchFolder } from './gallery/folder-watch.ts';
import { openGallery } from './gallery/gallery.ts';
import { createKnownPhotoReader, type FindFaces } from './gallery/known-photo.ts';
import { createSearchThread } from './gallery/search-thread.ts';
import { createIdentifyPhoto, type IdentifyPhoto } from './identify-photo.ts';
import { createPhotoReader } from './photo-file.ts';
import type { ServiceMetrics } from './service-metrics.ts';

/** What is served, as far as it is not a matter of the wire. */
export type Recognition = {
  model: { name: string; length: number };
  threshold: number;
  identify: IdentifyPhoto;
  decide: DecideFaces;
  startEnrolling: () => EnrolSession;
  describe: () => {
    model: string;
    threshold: number;
    galleryVersion: number;
    gallerySize: number;
    workers: number;
    queueLimit: number;
    engine: string;
  };
};

/** Known photos that are read side by side: enough to hide a slow volume, few enough to bear 20 MB each. */
const GALLERY_READERS = 8;

/** How many photos the engine must be able to hold, so that it is never the one to say `busy`: admission is. */
export function engineQueueLimit(workers: number): number {
  return workers * 2 + GALLERY_READERS + 64;
}

export type RecognitionDependencies = {
  config: Pick<
    Config,
    'knownPeople' | 'unknownPeople' | 'galleryCache' | 'galleryPollMs' | 'matchThreshold' | 'queueLimit' | 'photoTimeoutMs'
  >;
  engine: EnginePool;
  metrics: ServiceMetrics;
  log: Logger;
  /** Called once, when all that stood in the folder at the start is in the gallery. */
  onReady: () => void;
  /** A thread without which there is no gallery has died. */
  onDeath: (error: Error) => void;
};

export type OpenRecognition = { recognition: Recognition; readonly isReady: boolean; close(): Promise<void> };

/** Everything between the engine and the wire: gallery, admission and the decisions. */
export async function openRecognition({
  config,
  engine,
  metrics,
  log,
  onReady,
  onDeath,
}: RecognitionDependencies): Promise<OpenRecognition> {
  const { model, workers } = engine;
  const { photoTimeoutMs, queueLimit } = config;
  const threshold = config.matchThreshold ?? model.threshold;
  await mkdir(config.unknownPeople, { recursive: true }).catch((error: unknown) =>
    log.warn({ error, folder: config.unknownPeople }, 'the folder of unknown people is not there yet'),
  );

  const now = Date.now;
  const search = createSearchThread({ length: model.length, metric: model.metric, onDeath });
  const cache = createDescriptorCache({ folder: config.galleryCache, model, log, now });
  const examined = new Map<string, KnownFace>();
  const gallery = openGallery({
    watch: (handlers) => watchFolder({ folder: config.knownPeople, pollMs: config.galleryPollMs, onDeath, ...handlers }),
    read: createKnownPhotoReader({
      folder: config.knownPeople,
      cache,
      examined,
      findFaces: createFindFaces(engine, photoTimeoutMs),
      now,
    }),
    cache,
    search,
    log,
    now,
    parallel: GALLERY_READERS,
    onLoaded: metrics.loaded,
    onReady,
  });
  // One photo in each worker's hands, and one that is read meanwhile.
  const admission = createAdmission({ slots: workers * 2, queueLimit });
  metrics.watchEngine(engine, admission);
  metrics.watchGallery(gallery);

  const judging = { admission, engine, search, threshold, photoTimeoutMs };
  return {
    recognition: {
      model,
      threshold,
      identify: createIdentifyPhoto({ readPhoto: createPhotoReader(config.unknownPeople), ...judging }),
      decide: createDecideFaces({ search, length: model.length, now: () => performance.now() }),
      startEnrolling: () => createEnrolSession({ gallery, examined, ...judging }),
      describe: () => ({
        model: model.name,
        threshold,
        galleryVersion: gallery.version,
        gallerySize: gallery.size,
        workers,
        queueLimit,
        engine: engine.runtime,
      }),
    },
    get isReady() {
      return gallery.isLoaded;
    },
    async close() {
      await gallery.close();
      await search.close();
    },
  };
}

/** The largest face of a known photo, as the gallery asks for it. */
export function createFindFaces(engine: Pick<EnginePool, 'analyse'>, photoTimeoutMs: number): FindFaces {
  return async function findFaces(bytes, urgency) {
    try {
      const { faces } = await engine.analyse(bytes, {
        priority: urgency === 'now' ? 'serve' : 'background',
        known: true,
        deadlineMs: photoTimeoutMs,
      });
      return { faces: faces.length, descriptor: faces[0]?.descriptor };
    } catch (error) {
      if (error instanceof PhotoError) return { fault: error.code };
      if (error instanceof EngineError && (error.code === 'crashed' || error.code === 'timeout'))
        return { fault: 'engine_failed' };
      throw error;
    }
  };
}
