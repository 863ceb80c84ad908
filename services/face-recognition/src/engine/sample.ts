import type { Raster } from './raster.ts';
import { type Similarity, scaleOf } from './similarity.ts';

/** What a network wants its pixels to be: (value − mean) / divisor, channels in this order. */
export type Normalisation = { mean: readonly [number, number, number]; divisor: number; channelOrder: 'rgb' | 'bgr' };

export type SampleOptions = Normalisation & {
  width: number;
  height: number;
  /** Samples along each side of a pixel that comes out. */
  oversampling: 1 | 2;
  /** What lies outside the photo: a value after normalisation, or the photo's nearest pixel. */
  outside: number | 'nearest';
};

/**
 * Cuts a piece out of a photo as a network takes it: [3, height, width] floats, bilinear. `toPhoto` says where a point of the piece
 * lies in the original, whatever the raster's scale; pixels' centres are at halves on both sides.
 */
export function sample(raster: Raster, toPhoto: Similarity, options: SampleOptions, out: Float32Array): Float32Array {
  const { width, height, oversampling: n, outside } = options;
  const { data, width: sourceWidth, height: sourceHeight, halvings } = raster.level((scaleOf(toPhoto) * raster.scale) / n);
  const plane = width * height;
  const [first, second, third] = options.channelOrder === 'rgb' ? [0, plane, 2 * plane] : [2 * plane, plane, 0];
  const [meanR, meanG, meanB] =
    options.channelOrder === 'rgb' ? options.mean : [options.mean[2], options.mean[1], options.mean[0]];
  const weight = 1 / (n * n * options.divisor);
  const scale = raster.scale * 0.5 ** halvings;
  const a = toPhoto.a * scale;
  const b = toPhoto.b * scale;
  const tx = toPhoto.tx * scale - 0.5;
  const ty = toPhoto.ty * scale - 0.5;
  const lastX = sourceWidth - 1;
  const lastY = sourceHeight - 1;
  const row = sourceWidth * 3;

  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      let red = 0;
      let green = 0;
      let blue = 0;
      let missed = 0;
      for (let j = 0; j < n; j++) {
        const py = y + (j + 0.5) / n;
        for (let i = 0; i < n; i++) {
          const px = x + (i + 0.5) / n;
          let sx = a * px - b * py + tx;
          let sy = b * px + a * py + ty;
          if (sx < 0 || sy < 0 || sx > lastX || sy > lastY) {
            if (outside !== 'nearest' && (sx < -0.5 || sy < -0.5 || sx > lastX + 0.5 || sy > lastY + 0.5)) {
              missed++;
              continue;
            }
            sx = Math.min(lastX, Math.max(0, sx));
            sy = Math.min(lastY, Math.max(0, sy));
          }
          const x0 = sx | 0;
          const y0 = sy | 0;
          const fx = sx - x0;
          const fy = sy - y0;
          const p = y0 * row + x0 * 3;
          const q = x0 < lastX ? p + 3 : p;
          const down = y0 < lastY ? row : 0;
          const w00 = (1 - fx) * (1 - fy);
          const w10 = fx * (1 - fy);
          const w01 = (1 - fx) * fy;
          const w11 = fx * fy;
          red += data[p]! * w00 + data[q]! * w10 + data[p + down]! * w01 + data[q + down]! * w11;
          green += data[p + 1]! * w00 + data[q + 1]! * w10 + data[p + down + 1]! * w01 + data[q + down + 1]! * w11;
          blue += data[p + 2]! * w00 + data[q + 2]! * w10 + data[p + down + 2]! * w01 + data[q + down + 2]! * w11;
        }
      }
      const seen = n * n - missed;
      const rest = outside === 'nearest' ? 0 : (missed / (n * n)) * outside;
      out[first + at] = (red - seen * meanR) * weight + rest;
      out[second + at] = (green - seen * meanG) * weight + rest;
      out[third + at] = (blue - seen * meanB) * weight + rest;
    }
  }
  return out;
}
