import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeEach, expect, test } from 'vitest';
import { tempFolder } from '../../../test/harness/temp-folder.ts';
import { createPhotoFolder, type PhotoFolder } from '../src/photo-folder.ts';
import { createPictures, type Picture, type Pictures, squareAround, type Variant } from '../src/pictures.ts';

let root: string;
let folder: PhotoFolder;
let pictures: Pictures;

beforeEach(() => {
  root = tempFolder('pictures');
  folder = createPhotoFolder(root, '/unknown_people');
  pictures = createPictures({ cacheBytes: 1_000_000 });
});

/** Left half red, right half blue. */
function twoHalves(width: number, height: number) {
  const half = { width: width / 2, height, channels: 3 } as const;
  return sharp({ create: { width, height, channels: 3, background: '#f00' } }).composite([
    { input: { create: { ...half, background: '#00f' } }, left: width / 2, top: 0 },
  ]);
}

async function get(path: string, variant: Variant): Promise<Picture> {
  const picture = await pictures.get(folder, path, variant);
  if (!picture?.body) throw new Error(`no picture of ${path}`);
  return picture;
}

async function colourAt(body: Buffer, left: number, top: number): Promise<'red' | 'blue'> {
  const [red = 0, , blue = 0] = await sharp(body).extract({ left, top, width: 1, height: 1 }).removeAlpha().raw().toBuffer();
  return red > blue ? 'red' : 'blue';
}

test.each(['jpeg', 'png', 'webp'] as const)('a %s becomes a small square of WebP', async (format) => {
  writeFileSync(join(root, 'a'), await twoHalves(800, 400).toFormat(format).toBuffer());
  const { body, type } = await get('a', 'thumb');
  expect(type).toBe('image/webp');
  expect(await sharp(body).metadata()).toMatchObject({ format: 'webp', width: 160, height: 160 });
});

test('a large picture keeps its shape and is never made larger than it is', async () => {
  writeFileSync(join(root, 'wide.jpg'), await twoHalves(4000, 1000).jpeg().toBuffer());
  writeFileSync(join(root, 'small.jpg'), await twoHalves(60, 40).jpeg().toBuffer());
  expect(await sharp((await get('wide.jpg', 'large')).body).metadata()).toMatchObject({ width: 1600, height: 400 });
  expect(await sharp((await get('small.jpg', 'large')).body).metadata()).toMatchObject({ width: 60, height: 40 });
});

test('a photo that the camera held sideways stands upright, and so do its size and its faces', async () => {
  // Orientation 6: the upright photo is this one turned right by a quarter, so red is above blue.
  writeFileSync(join(root, 'turned.jpg'), await twoHalves(800, 400).withMetadata({ orientation: 6 }).jpeg().toBuffer());
  expect(await pictures.sizeOf(folder, 'turned.jpg')).toEqual({ width: 400, height: 800 });
  const { body } = await get('turned.jpg', 'large');
  expect(await sharp(body).metadata()).toMatchObject({ width: 400, height: 800 });
  expect([await colourAt(body, 200, 100), await colourAt(body, 200, 700)]).toEqual(['red', 'blue']);
  const face = await get('turned.jpg', { face: { x: 150, y: 600, width: 80, height: 100 } });
  expect(await sharp(face.body).metadata()).toMatchObject({ width: 320, height: 320 });
  expect(await colourAt(face.body, 160, 160)).toBe('blue');
});

test.each([
  ['a vector drawing', async () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')],
  ['a GIF', async () => twoHalves(8, 8).gif().toBuffer()],
  ['text', async () => Buffer.from('not a photo')],
  ['half a photo', async () => (await twoHalves(800, 400).jpeg().toBuffer()).subarray(0, 2_000)],
  [
    'a bomb of 60 megapixels',
    async () =>
      sharp({ create: { width: 10_000, height: 6_000, channels: 3, background: '#888' } })
        .png()
        .toBuffer(),
  ],
])('%s gives no picture', async (_name, make) => {
  writeFileSync(join(root, 'x'), await make());
  expect(await pictures.get(folder, 'x', 'thumb')).toBeUndefined();
});

test('what the browser has already is not sent again, until the photo is another one', async () => {
  writeFileSync(join(root, 'a.jpg'), await twoHalves(80, 40).jpeg().toBuffer());
  const { etag } = await get('a.jpg', 'thumb');
  expect(await pictures.get(folder, 'a.jpg', 'thumb', etag)).toEqual({ etag });
  expect(await pictures.get(folder, 'a.jpg', 'thumb', `"other", ${etag}`)).toEqual({ etag });
  expect(await pictures.get(folder, 'a.jpg', 'large', etag)).toMatchObject({ type: 'image/webp' });
  writeFileSync(join(root, 'a.jpg'), await twoHalves(100, 40).jpeg().toBuffer());
  expect(await pictures.get(folder, 'a.jpg', 'thumb', etag)).toMatchObject({ type: 'image/webp' });
});

test('an erased photo is gone, however often it was shown before', async () => {
  writeFileSync(join(root, 'a.jpg'), await twoHalves(80, 40).jpeg().toBuffer());
  await get('a.jpg', 'thumb');
  rmSync(join(root, 'a.jpg'));
  expect(await pictures.get(folder, 'a.jpg', 'thumb')).toBeUndefined();
  expect(await pictures.sizeOf(folder, 'a.jpg')).toBeUndefined();
});

test('a picture is made once, however many ask for it', async () => {
  writeFileSync(join(root, 'a.jpg'), await twoHalves(80, 40).jpeg().toBuffer());
  const all = await Promise.all(Array.from({ length: 20 }, () => get('a.jpg', 'thumb')));
  expect(new Set(all).size).toBe(1);
});

test('the square around a face stays inside the photo', () => {
  const photo = { width: 200, height: 100 };
  expect(squareAround({ x: 90, y: 40, width: 20, height: 10 }, photo)).toEqual({ left: 83, top: 28, width: 34, height: 34 });
  expect(squareAround({ x: 0, y: 0, width: 40, height: 40 }, photo)).toEqual({ left: 0, top: 0, width: 68, height: 68 });
  expect(squareAround({ x: 150, y: 50, width: 50, height: 50 }, photo)).toEqual({ left: 115, top: 15, width: 85, height: 85 });
  expect(squareAround({ x: -50, y: -50, width: 900, height: 900 }, photo)).toEqual({
    left: 100,
    top: 0,
    width: 100,
    height: 100,
  });
});
