import { expect, test } from 'vitest';
import { createRaster } from '../../src/engine/raster.ts';
import { createView } from '../../src/engine/view.ts';

/** A photo that remembers at which scales it was decoded; each comes out a pixel short. */
function photo(width: number, height: number) {
  const decoded: number[] = [];
  const view = createView({
    width,
    height,
    read: async (scale) => {
      decoded.push(scale);
      const short = Math.floor(width * scale) - 1;
      return createRaster({ data: new Uint8Array(12), width: 2, height: 2 }, short / width);
    },
  });
  return { view, decoded };
}

test('decodes a photo once, and again only where more of it is wanted', async () => {
  const { view, decoded } = photo(4000, 3000);
  const first = await view.at(0.25);
  expect(await view.at(0.25)).toBe(first);
  expect(await view.at(0.1)).toBe(first);

  const finer = await view.at(0.5);

  expect(finer.scale).toBeCloseTo(0.5, 2);
  expect(await view.at(0.4)).toBe(finer);
  expect(decoded).toEqual([0.25, 0.5]);
  expect(first.data.buffer.byteLength).toBe(0); // given back
});

test('decodes no more than 16 megapixels, however fine it is wanted', async () => {
  const { view, decoded } = photo(8000, 6000);
  const all = await view.at(1);
  expect(await view.at(1)).toBe(all);
  expect(decoded).toEqual([Math.sqrt(16 / 48)]);
});
