import { expect, test } from 'vitest';
import { createRaster } from '../../src/engine/raster.ts';
import { type SampleOptions, sample } from '../../src/engine/sample.ts';

const PLAIN: SampleOptions = {
  width: 2,
  height: 2,
  mean: [0, 0, 0],
  divisor: 1,
  channelOrder: 'rgb',
  coarseness: 1,
  outside: 'nearest',
};
const AS_IT_IS = { a: 1, b: 0, tx: 0, ty: 0 };

/** Red counts columns, green counts rows, blue is 7. */
function gradient(width: number, height: number): Uint8Array {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) data.set([10 * (i % width), 10 * Math.floor(i / width), 7], 3 * i);
  return data;
}

const cut = (
  scale: number,
  pixels: { width: number; height: number },
  ...[toPhoto, options]: [typeof AS_IT_IS, Partial<SampleOptions>]
) => {
  const all = { ...PLAIN, ...options };
  const raster = createRaster({ ...pixels, data: gradient(pixels.width, pixels.height) }, scale);
  return [...sample(raster, toPhoto, all)];
};

test('puts the channels one after the other', () => {
  expect(cut(1, { width: 2, height: 2 }, AS_IT_IS, {})).toEqual([0, 10, 0, 10, 0, 0, 10, 10, 7, 7, 7, 7]);
});

test('subtracts each mean and divides, in the order of the channels', () => {
  const options = { width: 1, height: 1, mean: [1, 2, 3], divisor: 2, channelOrder: 'bgr' } as const;
  // Blue, green, red of the pixel (0, 0, 7), with the means in the same order.
  expect(cut(1, { width: 2, height: 2 }, AS_IT_IS, options)).toEqual([3, -1, -1.5]);
});

test('takes what lies between pixels from those around it', () => {
  expect(cut(1, { width: 4, height: 4 }, { ...AS_IT_IS, tx: 0.5 }, {}).slice(0, 4)).toEqual([5, 15, 5, 15]);
});

test('means a raster by its place on the original, whatever its scale', () => {
  // Half the original's size: its point (4, 4) is the raster's (2, 2), where four pixels meet.
  expect(cut(0.5, { width: 4, height: 4 }, { ...AS_IT_IS, tx: 3.5, ty: 3.5 }, { width: 1, height: 1 })).toEqual([15, 15, 7]);
});

test('fills what is outside with a value, or with the nearest pixel', () => {
  const left = { ...AS_IT_IS, tx: -2 };
  expect(cut(1, { width: 2, height: 2 }, left, { outside: -1 })).toEqual(Array(12).fill(-1));
  expect(cut(1, { width: 2, height: 2 }, left, { outside: 'nearest' }).slice(0, 4)).toEqual([0, 0, 0, 0]);
});

test('averages where it makes a photo much smaller', () => {
  // Sixteen columns of 0 to 150 on two: the means of each half.
  expect(cut(1, { width: 16, height: 16 }, { ...AS_IT_IS, a: 8 }, {}).slice(0, 2)).toEqual([35, 115]);
});

test('turns', () => {
  // A quarter turn: what runs along columns of the photo runs along rows of the piece.
  expect(cut(1, { width: 2, height: 2 }, { a: 0, b: 1, tx: 2, ty: 0 }, {}).slice(0, 4)).toEqual([10, 10, 0, 0]);
});
