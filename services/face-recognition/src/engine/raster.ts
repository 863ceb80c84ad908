/** Eight-bit RGB, row by row. */
export type Pixels = { data: Uint8Array; width: number; height: number };

/** A photo's pixels at some scale, and halves of them, made when they are asked for. */
export type Raster = Pixels & {
  /** Raster pixels for one pixel of the upright original. */
  scale: number;
  /** The smallest half, quarter, … that still has at least one pixel for each one that is to come out; `halvings` says which. */
  level(shrink: number): Pixels & { halvings: number };
};

/** `shrink` is how many raster pixels fall on one pixel that comes out. */
export function createRaster(pixels: Pixels, scale: number): Raster {
  const levels: Pixels[] = [pixels];
  return {
    ...pixels,
    scale,
    level(shrink) {
      let halvings = 0;
      let current: Pixels = pixels;
      while (shrink >= 2 ** (halvings + 1) && Math.min(current.width, current.height) >= 2) {
        halvings++;
        current = levels[halvings] ??= halve(current);
      }
      return { ...current, halvings };
    },
  };
}

/** Each pixel is the mean of four; an odd last row or column is left out. */
function halve({ data, width, height }: Pixels): Pixels {
  const outWidth = width >> 1;
  const outHeight = height >> 1;
  const out = new Uint8Array(outWidth * outHeight * 3);
  const row = width * 3;
  let at = 0;
  for (let y = 0; y < outHeight; y++) {
    let from = 2 * y * row;
    for (let x = 0; x < outWidth; x++, from += 6, at += 3) {
      const below = from + row;
      out[at] = (data[from]! + data[from + 3]! + data[below]! + data[below + 3]! + 2) >> 2;
      out[at + 1] = (data[from + 1]! + data[from + 4]! + data[below + 1]! + data[below + 4]! + 2) >> 2;
      out[at + 2] = (data[from + 2]! + data[from + 5]! + data[below + 2]! + data[below + 5]! + 2) >> 2;
    }
  }
  return { data: out, width: outWidth, height: outHeight };
}
