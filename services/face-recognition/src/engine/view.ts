import type { Photo } from './photo.ts';
import type { Raster } from './raster.ts';

/** A photo as far as it has been decoded: once, as a rule, and again where something on it needs more pixels. */
export type View = {
  width: number;
  height: number;
  /** What it gave before may be gone after the next call. */
  at(scale: number): Promise<Raster>;
  free(): void;
};

// Decoded pixels take three bytes each, in every worker.
const MAX_DECODED = 16_000_000;

export function createView(photo: Photo): View {
  const { width, height } = photo;
  const limit = Math.min(1, Math.sqrt(MAX_DECODED / (width * height)));
  let raster: Raster | undefined;
  return {
    width,
    height,
    async at(scale) {
      const wanted = Math.min(limit, scale);
      if (raster && raster.scale >= wanted) return raster;
      const finer = await photo.read(wanted);
      raster?.free();
      raster = finer;
      return finer;
    },
    free: () => raster?.free(),
  };
}
