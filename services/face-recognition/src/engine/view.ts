import { largestScale, type Photo } from './photo.ts';
import type { Raster } from './raster.ts';

/** A photo as far as it has been decoded: once, as a rule, and again where something on it needs more pixels. */
export type View = {
  width: number;
  height: number;
  /** What it gave before may be gone after the next call. */
  at(scale: number): Promise<Raster>;
  free(): void;
};

// Sides are whole pixels, so that a scale comes out a little smaller than it was wanted.
const ENOUGH = 0.98;

export function createView(photo: Photo): View {
  const { width, height } = photo;
  const largest = largestScale(width, height);
  let raster: Raster | undefined;
  return {
    width,
    height,
    async at(scale) {
      const wanted = Math.min(largest, scale);
      if (raster && raster.scale >= ENOUGH * wanted) return raster;
      const finer = await photo.read(wanted);
      raster?.free();
      raster = finer;
      return finer;
    },
    free: () => raster?.free(),
  };
}
