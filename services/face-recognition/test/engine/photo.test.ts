import sharp from 'sharp';
import { expect, test } from 'vitest';
import { PhotoError } from '../../src/engine/errors.ts';
import { MAX_BYTES, openPhoto } from '../../src/engine/photo.ts';
import type { Raster } from '../../src/engine/raster.ts';

const [WIDTH, HEIGHT] = [64, 48];
const RED = { r: 220, g: 20, b: 20 };
const BLUE = { r: 20, g: 20, b: 220 };

/** Blue, with a red quarter at the top left. */
const PICTURE = await sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background: BLUE } })
  .composite([{ input: { create: { width: WIDTH / 2, height: HEIGHT / 2, channels: 3, background: RED } }, left: 0, top: 0 }])
  .png()
  .toBuffer();
const picture = () => sharp(PICTURE);

async function decode(bytes: Buffer, scale = 1): Promise<Raster & { photoWidth: number; photoHeight: number }> {
  const photo = await openPhoto(bytes);
  return { ...(await photo.read(scale)), photoWidth: photo.width, photoHeight: photo.height };
}

/** In the middle of the quarter that has its corner there. */
function pixel({ data, width, height }: Raster, corner: 'top left' | 'bottom right'): number[] {
  const [x, y] = corner === 'top left' ? [width >> 2, height >> 2] : [(3 * width) >> 2, (3 * height) >> 2];
  return [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
}

function expectColour(actual: number[], { r, g, b }: typeof RED, tolerance = 12): void {
  for (const [i, value] of [r, g, b].entries())
    expect(Math.abs((actual[i] ?? Number.NaN) - value)).toBeLessThanOrEqual(tolerance);
}

/** How a camera stores the upright picture, by what it then writes under orientation: turned by so much, and then mirrored. */
const STORED = [
  { orientation: 1, turn: 0, mirrored: false },
  { orientation: 2, turn: 0, mirrored: true },
  { orientation: 3, turn: 180, mirrored: false },
  { orientation: 4, turn: 180, mirrored: true },
  { orientation: 5, turn: 90, mirrored: true },
  { orientation: 6, turn: 270, mirrored: false },
  { orientation: 7, turn: 270, mirrored: true },
  { orientation: 8, turn: 90, mirrored: false },
];

test.each(STORED)('stands a photo with EXIF orientation $orientation upright', async ({ orientation, turn, mirrored }) => {
  const turned = await picture().rotate(turn).png().toBuffer();
  const bytes = await sharp(turned).flop(mirrored).withMetadata({ orientation }).jpeg({ quality: 95 }).toBuffer();

  const raster = await decode(bytes);

  expect(raster).toMatchObject({ photoWidth: WIDTH, photoHeight: HEIGHT, width: WIDTH, height: HEIGHT });
  expectColour(pixel(raster, 'top left'), RED);
  expectColour(pixel(raster, 'bottom right'), BLUE);
});

const grey = { r: 115, g: 115, b: 115 };

test.each<[string, () => Promise<Buffer>, typeof RED, number]>([
  ['JPEG', () => picture().jpeg({ quality: 95 }).toBuffer(), RED, 12],
  ['progressive JPEG', () => picture().jpeg({ quality: 95, progressive: true }).toBuffer(), RED, 12],
  ['PNG', () => picture().png().toBuffer(), RED, 0],
  ['PNG with a palette', () => picture().png({ palette: true }).toBuffer(), RED, 12],
  ['PNG with transparency', () => picture().ensureAlpha(0.5).png().toBuffer(), RED, 0],
  ['PNG with 16 bits a channel', () => picture().toColourspace('rgb16').png().toBuffer(), RED, 1],
  ['WebP', () => picture().webp({ quality: 95 }).toBuffer(), RED, 16],
  ['lossless WebP with transparency', () => picture().ensureAlpha(0.5).webp({ lossless: true, exact: true }).toBuffer(), RED, 0],
  // Ink has fewer reds.
  ['CMYK JPEG', () => picture().toColourspace('cmyk').withIccProfile('cmyk').jpeg({ quality: 95 }).toBuffer(), RED, 40],
  ['grey JPEG', () => picture().greyscale().jpeg({ quality: 95 }).toBuffer(), grey, 8],
  ['grey PNG with 16 bits', () => picture().toColourspace('grey16').png().toBuffer(), grey, 8],
  ['grey PNG with transparency', () => picture().greyscale().ensureAlpha(0.5).png().toBuffer(), grey, 8],
])('reads a %s as eight bits of red, green and blue', async (_name, make, topLeft, tolerance) => {
  const raster = await decode(await make());

  expect(raster).toMatchObject({ width: WIDTH, height: HEIGHT, scale: 1 });
  expect(raster.data.length).toBe(WIDTH * HEIGHT * 3);
  expectColour(pixel(raster, 'top left'), topLeft, tolerance);
});

test('takes the first frame of an animation', async () => {
  const frame = (background: typeof RED) => ({ create: { width: WIDTH, height: HEIGHT, channels: 3 as const, background } });
  const frames = await Promise.all([RED, BLUE].map((colour) => sharp(frame(colour)).png().toBuffer()));
  const bytes = await sharp(frames, { join: { animated: true } })
    .webp({ lossless: true })
    .toBuffer();
  expect((await sharp(bytes).metadata()).pages).toBe(2);

  const raster = await decode(bytes);

  expect(raster).toMatchObject({ photoHeight: HEIGHT, height: HEIGHT });
  expectColour(pixel(raster, 'bottom right'), RED);
});

test.each([
  { format: 'jpeg', scale: 0.2, width: 250 }, // a quarter is the smallest that has enough
  { format: 'jpeg', scale: 0.6, width: 1000 },
  { format: 'png', scale: 0.2, width: 200 },
  { format: 'png', scale: 0.6, width: 1000 },
] as const)('decodes a $format of 1000 pixels, wanted at $scale, to $width', async ({ format, scale, width }) => {
  const bytes = await picture().resize(1000, 600, { kernel: 'nearest' }).toFormat(format).toBuffer();

  const raster = await decode(bytes, scale);

  expect(raster).toMatchObject({ photoWidth: 1000, photoHeight: 600, width, height: width * 0.6, scale: width / 1000 });
  expectColour(pixel(raster, 'top left'), RED);
});

test.each(['jpeg', 'png'] as const)('decodes 16 megapixels of a %s at most', async (format) => {
  const bytes = await picture().resize(6000, 3000, { kernel: 'nearest' }).toFormat(format).toBuffer();

  const raster = await decode(bytes);

  expect(raster).toMatchObject({ photoWidth: 6000, photoHeight: 3000 });
  expect(raster.width * raster.height).toBeLessThan(16.1e6);
  expect(raster.width * raster.height).toBeGreaterThan(15.9e6);
  expect(raster.scale).toBeCloseTo(Math.sqrt(16 / 18), 3);
  expectColour(pixel(raster, 'bottom right'), BLUE);
});

test('decodes a turned JPEG with odd sides at a smaller scale', async () => {
  const bytes = await picture().resize(1003, 601).withMetadata({ orientation: 6 }).jpeg().toBuffer();

  const raster = await decode(bytes, 0.2);

  expect(raster).toMatchObject({ photoWidth: 601, photoHeight: 1003, width: 150, height: 250 });
});

/** The head of a PNG whose pixels nobody has. */
function pngHead(width: number, height: number): Buffer {
  const head = Buffer.from('89504e470d0a1a0a0000000d49484452000000000000000008020000000000000000000000', 'hex');
  head.writeUInt32BE(width, 16);
  head.writeUInt32BE(height, 20);
  head.writeInt32BE(crc32(head.subarray(12, 29)), 29);
  return Buffer.concat([head.subarray(0, 33), Buffer.from('0000000049444154', 'hex'), Buffer.alloc(64)]);
}

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc;
}

test('refuses more than 50 megapixels by what the head says', async () => {
  await expect(openPhoto(pngHead(10_000, 5_000))).resolves.toMatchObject({ width: 10_000, height: 5_000 });
  await expect(openPhoto(pngHead(10_001, 5_000))).rejects.toMatchObject({ code: 'too_large' });
});

test('refuses more than 20 MB without a look', async () => {
  await expect(openPhoto(new Uint8Array(MAX_BYTES + 1))).rejects.toMatchObject({ code: 'too_large' });
  await expect(openPhoto(new Uint8Array(MAX_BYTES))).rejects.toMatchObject({ code: 'unreadable_image' });
});

test.each<[string, () => Promise<Uint8Array>]>([
  ['nothing', async () => new Uint8Array()],
  ['text', async () => Buffer.from('no photo')],
  ['a GIF', () => picture().gif().toBuffer()],
  ['a TIFF', () => picture().tiff().toBuffer()],
  ['an SVG', async () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')],
  ['the head of a JPEG alone', async () => Buffer.from('ffd8ffe000104a464946', 'hex')],
  ['half a JPEG', async () => halfOf(await picture().resize(400).jpeg().toBuffer())],
  ['half a PNG', async () => halfOf(await picture().resize(400).png({ compressionLevel: 0 }).toBuffer())],
  ['half a WebP', async () => halfOf(await picture().resize(400).webp({ lossless: true }).toBuffer())],
])('says that %s is no photo it can read', async (_name, make) => {
  const bytes = await make();
  const attempt = openPhoto(bytes).then((photo) => photo.read(1));
  await expect(attempt).rejects.toBeInstanceOf(PhotoError);
  await expect(attempt).rejects.toMatchObject({ code: 'unreadable_image' });
});

const halfOf = (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1);
