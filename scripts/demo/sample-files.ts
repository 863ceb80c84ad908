import { copyFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { type Crop, PEOPLE } from './samples.ts';

// The photos come with a package that face-recognition builds its models from.
const require = createRequire(new URL('../../services/face-recognition/package.json', import.meta.url));
const folder = join(dirname(require.resolve('@vladmandic/face-api/package.json')), 'demo');

export const sampleFile = (photo: string) => join(folder, photo);

/** The square as a JPEG; the same bytes every time, so that a person is not enrolled twice. */
export function cropped({ photo, left, top, size }: Crop): Promise<Buffer> {
  return sharp(sampleFile(photo)).extract({ left, top, width: size, height: size }).jpeg({ quality: 92 }).toBuffer();
}

/** The photos that a person of the samples is enrolled from. */
export function photosOf(name: string): Promise<{ fileName: string; bytes: Buffer }[]> {
  const crops = PEOPLE.find((person) => person.name === name)?.crops;
  if (crops === undefined) throw new Error(`there is no photo of ${name}`);
  return Promise.all(
    crops.map(async (crop, index) => ({ fileName: `${name.toLowerCase()}_${index + 1}.jpg`, bytes: await cropped(crop) })),
  );
}

/** The first of them. */
export async function photoOf(name: string): Promise<Buffer> {
  const [photo] = await photosOf(name);
  if (photo === undefined) throw new Error(`${name} is enrolled from no photo`);
  return photo.bytes;
}

export const copySample = (photo: string, to: string) => copyFile(sampleFile(photo), join(to, photo));
