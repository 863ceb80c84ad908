import type { Admission } from './admission.ts';
import { type EnginePool, PhotoError, type PhotoFault } from './engine/engine.ts';
import type { KnownFace } from './gallery/cache-format.ts';
import type { Gallery } from './gallery/gallery.ts';
import type { SearchThread } from './gallery/search-thread.ts';
import { type IdentifiedFace, judgeFaces } from './identify-photo.ts';
import { MAX_PHOTO_BYTES } from './photo-file.ts';

export type Examination = { width: number; height: number; faces: IdentifiedFace[] } | { error: PhotoFault };

/** One conversation about photos that are to become known. */
export type EnrolSession = {
  /** The faces on a photo; its own faults are values. */
  examine(photo: Uint8Array, signal: AbortSignal): Promise<Examination>;
  added(names: string[]): Promise<{ version: number; missing: string[] }>;
  removed(names: string[]): Promise<{ version: number }>;
  /** Forgets what was examined: what did not become known leaves nothing behind. */
  end(): void;
};

export type EnrolDependencies = {
  admission: Admission;
  engine: Pick<EnginePool, 'analyse'>;
  search: Pick<SearchThread, 'search'>;
  gallery: Pick<Gallery, 'load' | 'drop'>;
  /**
   * What conversations have examined, by the hash of the photo's bytes: whoever looks at the file that is added, be it the
   * folder watch that was faster, need not compute it again.
   */
  examined: Map<string, KnownFace>;
  threshold: number;
  photoTimeoutMs: number;
};

/** More than anybody enrols in one conversation; beyond it the oldest is computed a second time. */
const MAX_EXAMINED = 1_024;

export function createEnrolSession({
  admission,
  engine,
  search,
  gallery,
  examined,
  threshold,
  photoTimeoutMs,
}: EnrolDependencies): EnrolSession {
  const own = new Set<string>();

  function forget(hash: string): void {
    own.delete(hash);
    examined.delete(hash);
  }

  return {
    async examine(photo, signal) {
      if (photo.length > MAX_PHOTO_BYTES) return { error: 'too_large' };
      try {
        const bytes = Uint8Array.from(photo); // the engine takes its bytes over, and these are part of a message
        const hash = Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex');
        const { width, height, faces } = await admission.run(signal, () =>
          engine.analyse(bytes, { signal, deadlineMs: photoTimeoutMs, priority: 'serve', known: true }),
        );
        examined.set(hash, { faces: faces.length, descriptor: faces[0]?.descriptor });
        own.add(hash);
        const [oldest] = own;
        if (own.size > MAX_EXAMINED && oldest !== undefined) forget(oldest);
        return { width, height, faces: (await judgeFaces(faces, { search, threshold })).faces };
      } catch (error) {
        if (error instanceof PhotoError) return { error: error.code };
        throw error;
      }
    },
    added: (names) => gallery.load(names),
    removed: (names) => gallery.drop(names),
    end: () => own.forEach(forget),
  };
}
