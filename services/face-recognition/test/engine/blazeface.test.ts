import { expect, test } from 'vitest';
import { type Candidate, detectFaces, withoutOverlaps } from '../../src/engine/blazeface.ts';
import { createRaster } from '../../src/engine/raster.ts';
import type { Network } from '../../src/engine/runtime.ts';

const face = (x: number, y: number, width: number, score: number): Candidate => ({
  x,
  y,
  width,
  height: width,
  score,
  points: new Float32Array(12),
});
const BLACK = createRaster({ data: new Uint8Array(64 * 32 * 3), width: 64, height: 32 }, 0.5); // a photo of 128 x 64

/** Speaks up at one anchor, with a box of half its input's width whose centre, like all points, is 8 pixels right of and 16 below the anchor. */
function networkThatSees(anchor: number, score: number) {
  const shapes: number[][] = [];
  const network: Network = {
    run: async (_input, shape) => {
      shapes.push([...shape]);
      const [, , height = 0, width = 0] = shape;
      const anchors = (width / 16) * (height / 16) * 2 + (width / 32) * (height / 32) * 6;
      const scores = new Float32Array(anchors);
      const boxes = new Float32Array(anchors * 16);
      scores[anchor] = score;
      boxes.set([8, 16, width / 2, width / 2, ...Array(6).fill([8, 16]).flat()], anchor * 16);
      return { scores, boxes };
    },
  };
  return { network, shapes };
}

test('finds a face where its anchor is, in pixels of the original', async () => {
  const { network, shapes } = networkThatSees(0, 0.9); // the first cell's centre: (8, 8) of 256 x 128

  const [found] = await detectFaces(network, { width: 128, height: 64 }, BLACK, 256, 0.5);

  expect(shapes).toEqual([[1, 3, 128, 256]]);
  // (8 + 8, 8 + 16) of the input is (8, 12) of the photo.
  expect(found).toMatchObject({ x: 8 - 32, y: 12 - 32, width: 64, height: 64 });
  expect(found?.score).toBeCloseTo(0.9, 6);
  expect([...(found?.points.subarray(0, 4) ?? [])]).toEqual([8, 12, 8, 12]);
});

test('knows the coarse anchors after the fine ones', async () => {
  const fine = 16 * 8 * 2;
  const { network } = networkThatSees(fine + 6, 0.9); // the second cell of 32 pixels: (48, 16)

  const [found] = await detectFaces(network, { width: 128, height: 64 }, BLACK, 256, 0.5);

  expect([...(found?.points.subarray(0, 2) ?? [])]).toEqual([(48 + 8) / 2, (16 + 16) / 2]);
});

test('takes away what it added to the sides to come to whole cells', async () => {
  const { network, shapes } = networkThatSees(0, 0.9);
  const narrow = createRaster({ data: new Uint8Array(64 * 50 * 3), width: 64, height: 50 }, 1);

  const [found] = await detectFaces(network, { width: 64, height: 50 }, narrow, 256, 0.5);

  expect(shapes).toEqual([[1, 3, 224, 256]]); // 200 rows of photo, 12 above and 12 below
  expect(found?.points[1]).toBeCloseTo((24 - 12) / 4, 5);
});

test('leaves out what is not certain enough', async () => {
  const { network } = networkThatSees(0, 0.4);
  expect(await detectFaces(network, { width: 128, height: 64 }, BLACK, 256, 0.5)).toEqual([]);
});

test('keeps the best of boxes that overlap', () => {
  const [best, worse, other] = [face(0, 0, 100, 0.9), face(20, 10, 100, 0.8), face(300, 0, 90, 0.6)];
  expect(withoutOverlaps([worse, other, best])).toEqual([best, other]);
});

test('keeps two that only touch', () => {
  const pair = [face(0, 0, 100, 0.9), face(92, 0, 100, 0.8)];
  expect(withoutOverlaps(pair)).toEqual(pair);
});

test('drops a part of a face that looks like a face', () => {
  const whole = face(0, 0, 100, 0.8);
  expect(withoutOverlaps([whole, face(30, 30, 20, 0.7)])).toEqual([whole]);
});
