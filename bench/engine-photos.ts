import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import sharp from 'sharp';

const require = createRequire(new URL('../services/face-recognition/package.json', import.meta.url));
const DEMO = join(dirname(require.resolve('@vladmandic/face-api')), '..', 'demo');

export type BenchPhoto = { name: string; faces: number; bytes: Buffer };

export const demoPhoto = (number: number): Promise<Buffer> => readFile(join(DEMO, `sample${number}.jpg`));

/** One person's face, half the width of the square that comes out, from the sharpest of the demo photos. */
async function person(width: number): Promise<Buffer> {
  const cut = { left: 115, top: 416, width: 462, height: 462 };
  return await sharp(await demoPhoto(6))
    .extract(cut)
    .resize(width, width)
    .toBuffer();
}

/** A photo of the size with one person before a blurred background, as a camera would store it. */
async function portrait(name: string, width: number, height: number, faceWidth: number): Promise<BenchPhoto> {
  const side = Math.min(width, height, Math.round(faceWidth * 2));
  const background = await sharp(await demoPhoto(1))
    .resize(width, height, { fit: 'cover' })
    .blur(Math.max(2, width / 60))
    .toBuffer();
  const place = { left: Math.round((width - side) / 2), top: Math.round((height - side) / 2) };
  const bytes = await sharp(background)
    .composite([{ input: await person(side), ...place }])
    .jpeg({ quality: 90 })
    .toBuffer();
  return { name, faces: 1, bytes };
}

/** What the engine is timed on. */
export async function benchPhotos(): Promise<BenchPhoto[]> {
  return [
    await portrait('250x250', 250, 250, 110),
    await portrait('853x480', 853, 480, 150),
    await portrait('1920x1080', 1920, 1080, 300),
    await portrait('4000x3000', 4000, 3000, 700),
    { name: '1920x1280', faces: 3, bytes: await demoPhoto(1) },
    { name: '1920x1398', faces: 5, bytes: await demoPhoto(5) },
    await crowd(40),
  ];
}

/** Faces of 30 to 70 pixels, in rows. */
export async function crowd(count: number): Promise<BenchPhoto> {
  const columns = 10;
  const tiles = Array.from({ length: count }, async (_, i) => {
    const size = 60 + ((i * 7) % 80);
    return { input: await person(size), left: 20 + (i % columns) * 185, top: 20 + Math.floor(i / columns) * 200 };
  });
  const bytes = await sharp({ create: { width: 1920, height: 1080, channels: 3, background: '#888' } })
    .composite(await Promise.all(tiles))
    .jpeg({ quality: 90 })
    .toBuffer();
  return { name: '1920x1080', faces: count, bytes };
}
