import { free } from './memory.ts';

/** Eight-bit RGB, row by row. */
export type Pixels = { data: Uint8Array; width: number; height: number };

/** A photo's pixels at some scale, and a quarter, a sixteenth, … of that, made when they are asked for. */
export type Raster = Pixels & {
  /** Raster pixels for one pixel of the upright original. */
  scale: number;
  /** The smallest version with at least one pixel for each of the `shrink` raster pixels across that become one, and its own scale. */
  level(shrink: number): Pixels & { scale: number };
  /** Gives the memory back: the raster must not be used any more. */
  free(): void;
};

export function createRaster(pixels: Pixels, scale: number): Raster {
  const levels: Pixels[] = [pixels];
  return {
    ...pixels,
    scale,
    level(shrink) {
      let depth = 0;
      let current: Pixels = pixels;
      while (shrink >= 4 ** (depth + 1) && Math.min(current.width, current.height) >= 4) {
        depth++;
        current = levels[depth] ??= quarter(current);
      }
      return { ...current, scale: scale * 0.25 ** depth };
    },
    free() {
      for (const { data } of levels) free(data);
    },
  };
}

/** Each pixel is the mean of the inner four of sixteen: a photo's neighbours are much alike, and a mean of all takes four times as long. */
function quarter({ data, width, height }: Pixels): Pixels {
  const outWidth = width >> 2;
  const outHeight = height >> 2;
  const out = new Uint8Array(outWidth * outHeight * 3);
  const row = width * 3;
  let at = 0;
  for (let y = 0; y < outHeight; y++) {
    let from = (4 * y + 1) * row + 3;
    for (let x = 0; x < outWidth; x++, from += 12, at += 3) {
      const below = from + row;
      out[at] = (data[from]! + data[from + 3]! + data[below]! + data[below + 3]! + 2) >> 2;
      out[at + 1] = (data[from + 1]! + data[from + 4]! + data[below + 1]! + data[below + 4]! + 2) >> 2;
      out[at + 2] = (data[from + 2]! + data[from + 5]! + data[below + 2]! + data[below + 5]! + 2) >> 2;
    }
  }
  return { data: out, width: outWidth, height: outHeight };
}
