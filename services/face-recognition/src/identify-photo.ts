import type { Failure } from '@kube-face/shared-lib/image-status';
import { type Admission, BusyError } from './admission.ts';
import { type DetectedFace, EngineError, type EnginePool, PhotoError } from './engine/engine.ts';
import type { Neighbour } from './gallery/search-index.ts';
import type { SearchThread } from './gallery/search-thread.ts';
import { FolderAwayError, type PhotoFile } from './photo-file.ts';

export type IdentifiedFace = DetectedFace & {
  /** The nearest known photos, nearest first. */
  candidates: Neighbour[];
  /** The nearest one, where it is within the threshold. */
  match: Neighbour | undefined;
};

export type Identification = {
  outcome: 'match' | 'unknown' | 'no_face';
  /** Largest first. */
  faces: IdentifiedFace[];
  /** The best match of any face. */
  match: Neighbour | undefined;
  galleryVersion: number;
  /** Milliseconds by step. */
  timings: Record<string, number>;
};

/** `began`: the photo was taken up, so the call counts as an attempt. */
export type IdentifyFailure = { outcome: Failure; detail: string; began: boolean; cause?: unknown };
export type IdentifyResult = { identified: Identification } | { failed: IdentifyFailure } | { busy: true };

export type IdentifyDependencies = {
  readPhoto: (path: string) => Promise<PhotoFile>;
  admission: Admission;
  engine: Pick<EnginePool, 'analyse'>;
  search: Pick<SearchThread, 'search'>;
  /** Largest distance of a match. */
  threshold: number;
  /** How long a worker may take over one photo. */
  photoTimeoutMs: number;
};

export type IdentifyPhoto = ReturnType<typeof createIdentifyPhoto>;

/** Who is on a photo. Rejects with the signal's reason alone; every other end is a value. */
export function createIdentifyPhoto({ readPhoto, admission, engine, search, threshold, photoTimeoutMs }: IdentifyDependencies) {
  return async function identifyPhoto(
    path: string,
    signal: AbortSignal,
    onStart: () => void = () => {},
  ): Promise<IdentifyResult> {
    let began = false;
    const begin = () => {
      began = true;
      onStart();
    };

    const fail = (error: unknown): IdentifyResult => {
      if (signal.aborted) throw signal.reason;
      if (error instanceof BusyError) return { busy: true };
      if (error instanceof FolderAwayError)
        return { failed: { outcome: 'backend_unavailable', detail: error.message, began: false, cause: error } };
      if (error instanceof PhotoError) return { failed: { outcome: error.code, detail: error.detail, began } };
      if (!(error instanceof EngineError))
        return { failed: { outcome: 'internal', detail: 'internal error', began, cause: error } };
      switch (error.code) {
        case 'busy':
          return { busy: true };
        case 'closed':
          return { failed: { outcome: 'backend_unavailable', detail: 'the engine is closing', began: false, cause: error } };
        case 'timeout':
          return { failed: { outcome: 'timeout', detail: error.message, began, cause: error } };
        case 'crashed':
          return { failed: { outcome: 'internal', detail: error.message, began, cause: error } };
      }
    };

    try {
      const analysis = await admission.run(signal, async () => {
        const file = await readPhoto(path).catch((error: unknown) => {
          // A file that can't be read now has had its try, it must not come back for ever; with the volume away none has.
          if (!(error instanceof FolderAwayError)) begin();
          throw error;
        });
        if ('failure' in file) return file;
        return engine.analyse(file.bytes, { signal, deadlineMs: photoTimeoutMs, priority: 'serve', onStart: begin });
      });
      if ('failure' in analysis) return { failed: { outcome: analysis.failure, detail: analysis.detail, began } };

      const startedAt = performance.now();
      const { faces, galleryVersion } = await judgeFaces(analysis.faces, { search, threshold });
      const timings = { ...analysis.timings, match: performance.now() - startedAt };
      const match = faces.reduce<Neighbour | undefined>(
        (best, face) => (face.match && (!best || face.match.distance < best.distance) ? face.match : best),
        undefined,
      );
      const outcome = match ? 'match' : faces.length > 0 ? 'unknown' : 'no_face';
      return { identified: { outcome, faces, match, galleryVersion, timings } };
    } catch (error) {
      return fail(error);
    }
  };
}

/** Faces with the known photos near them, all from one and the same gallery. */
export async function judgeFaces(
  faces: readonly DetectedFace[],
  { search, threshold }: Pick<IdentifyDependencies, 'search' | 'threshold'>,
): Promise<{ faces: IdentifiedFace[]; galleryVersion: number }> {
  const length = faces[0]?.descriptor.length ?? 0;
  const descriptors = new Float32Array(faces.length * length);
  for (const [i, { descriptor }] of faces.entries()) descriptors.set(descriptor, i * length);
  const { version, judged } = await search.search(descriptors);
  return {
    galleryVersion: version,
    faces: faces.map((face, i) => {
      const candidates = judged[i] ?? [];
      const [nearest] = candidates;
      return { ...face, candidates, match: nearest && nearest.distance <= threshold ? nearest : undefined };
    }),
  };
}
