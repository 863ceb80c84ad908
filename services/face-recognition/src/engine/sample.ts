import type { Raster } from './raster.ts';
import { type Similarity, scaleOf } from './similarity.ts';

/** What a network wants its pixels to be: (value − mean) / divisor, channels in this order. */
export type Normalisation = { mean: readonly [number, number, number]; divisor: number; channelOrder: 'rgb' | 'bgr' };

export type SampleOptions = Normalisation & {
  width: number;
  height: number;
  /** How many of the photo's pixels across may go into one without all being asked. */
  coarseness: number;
  /** What lies outside the photo: a value after normalisation, or the photo's nearest pixel. */
  outside: number | 'nearest';
};

/**
 * Cuts a piece out of a photo as a network takes it: [3, height, width] floats, bilinear. `toPhoto` says where a point of the piece
 * lies in the original, whatever the raster's scale; pixels' centres are at halves on both sides.
 */
export function sample(raster: Raster, toPhoto: Similarity, options: SampleOptions): Float32Array {
  const { width, height, divisor, outside } = options;
  const shrink = scaleOf(toPhoto) * raster.scale;
  const { data, width: sourceWidth, height: sourceHeight, scale } = raster.level(shrink);
  // Samples along each side of a pixel that comes out.
  const n = Math.max(1, Math.ceil((scaleOf(toPhoto) * scale) / options.coarseness));
  const plane = width * height;
  const out = new Float32Array(3 * plane);
  const [first, third] = options.channelOrder === 'rgb' ? [0, 2 * plane] : [2 * plane, 0];
  const [meanR, meanG, meanB] =
    options.channelOrder === 'rgb' ? options.mean : [options.mean[2], options.mean[1], options.mean[0]];
  const weight = 1 / (n * n * divisor);

  // From a sample of the piece to the level's pixels, counted at their centres.
  const a = (toPhoto.a * scale) / n;
  const b = (toPhoto.b * scale) / n;
  const tx = toPhoto.tx * scale - 0.5 + (a - b) / 2;
  const ty = toPhoto.ty * scale - 0.5 + (a + b) / 2;
  const lastX = sourceWidth - 1;
  const lastY = sourceHeight - 1;
  const row = sourceWidth * 3;

  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const left = a * x * n - b * y * n + tx;
      const top = b * x * n + a * y * n + ty;
      if (outside !== 'nearest' && (left < -0.5 || top < -0.5 || left > lastX + 0.5 || top > lastY + 0.5)) {
        out[at] = outside;
        out[at + plane] = outside;
        out[at + 2 * plane] = outside;
        continue;
      }
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let j = 0; j < n; j++) {
        let sx = left - b * j;
        let sy = top + a * j;
        for (let i = 0; i < n; i++, sx += a, sy += b) {
          const px = sx < 0 ? 0 : Math.min(sx, lastX);
          const py = sy < 0 ? 0 : Math.min(sy, lastY);
          const x0 = px | 0;
          const y0 = py | 0;
          const fx = px - x0;
          const fy = py - y0;
          const p = y0 * row + x0 * 3;
          const q = x0 < lastX ? p + 3 : p;
          const r = y0 < lastY ? p + row : p;
          const s = r + q - p;
          const w11 = fx * fy;
          const w10 = fx - w11;
          const w01 = fy - w11;
          const w00 = 1 - fx - w01;
          red += data[p]! * w00 + data[q]! * w10 + data[r]! * w01 + data[s]! * w11;
          green += data[p + 1]! * w00 + data[q + 1]! * w10 + data[r + 1]! * w01 + data[s + 1]! * w11;
          blue += data[p + 2]! * w00 + data[q + 2]! * w10 + data[r + 2]! * w01 + data[s + 2]! * w11;
        }
      }
      out[first + at] = (red - n * n * meanR) * weight;
      out[plane + at] = (green - n * n * meanG) * weight;
      out[third + at] = (blue - n * n * meanB) * weight;
    }
  }
  return out;
}
