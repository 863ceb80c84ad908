import type { Neighbour } from './gallery/search-index.ts';
import type { SearchThread } from './gallery/search-thread.ts';

/** A face judged anew; undefined where it was left alone, because nobody of `among` is near enough. */
export type DecidedFace = { candidates: Neighbour[]; match: Neighbour | undefined } | undefined;

export type DecideRequest = {
  /** float32, little-endian, each as long as the model's. */
  descriptors: readonly Uint8Array[];
  among: string[];
  threshold: number;
};

export type DecideFaces = ReturnType<typeof createDecideFaces>;

/** How long a slice may keep the search thread from those who wait for a photo. */
const SLICE_MS = 10;
const MAX_SLICE = 4_096;

/** Judges stored descriptors by the gallery of now, in slices, so that searches for photos get in between. */
export function createDecideFaces({
  search,
  length,
  now,
}: {
  search: Pick<SearchThread, 'decide'>;
  length: number;
  now: () => number;
}) {
  return async function decideFaces(
    { descriptors, among, threshold }: DecideRequest,
    signal: AbortSignal,
  ): Promise<{ faces: DecidedFace[]; galleryVersion: number }> {
    const faces: DecidedFace[] = [];
    let galleryVersion = Number.POSITIVE_INFINITY;
    let slice = 32;
    for (let at = 0; at < descriptors.length || at === 0; ) {
      signal.throwIfAborted();
      const some = descriptors.slice(at, at + slice);
      const packed = new Float32Array(some.length * length);
      const bytes = new Uint8Array(packed.buffer);
      for (const [i, descriptor] of some.entries()) bytes.set(descriptor, i * length * 4);

      const startedAt = now();
      const { version, judged } = await search.decide(packed, among, threshold);
      const elapsedMs = now() - startedAt;
      galleryVersion = Math.min(galleryVersion, version);
      for (const candidates of judged) {
        const nearest = candidates?.[0];
        const match = nearest && nearest.distance <= threshold ? nearest : undefined;
        faces.push(candidates ? { candidates, match } : undefined);
      }
      at += Math.max(1, some.length);
      slice = Math.min(MAX_SLICE, Math.max(1, Math.round((slice * SLICE_MS) / Math.max(elapsedMs, SLICE_MS / 4))));
    }
    return { faces, galleryVersion };
  };
}
