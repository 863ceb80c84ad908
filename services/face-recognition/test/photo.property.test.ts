import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import sharp from 'sharp';
import { beforeAll, expect } from 'vitest';
import { property } from '../../../test/harness/property.ts';
import { tempFolder } from '../../../test/harness/temp-folder.ts';
import { PhotoError } from '../src/engine/errors.ts';
import { MAX_PIXELS, openPhoto } from '../src/engine/photo.ts';
import { createPhotoReader } from '../src/photo-file.ts';

const SECRET = 'nobody outside may read this';
const root = tempFolder('paths');
const folder = join(root, 'unknown_people');

beforeAll(() => {
  for (const path of ['unknown_people/inner', 'unknown_people_too', 'outside']) mkdirSync(join(root, path), { recursive: true });
  for (const path of ['outside/a.jpg', 'unknown_people_too/a.jpg', 'a.jpg']) writeFileSync(join(root, path), SECRET);
  for (const path of ['a.jpg', 'inner/a.jpg']) writeFileSync(join(folder, path), 'a photo');
  symlinkSync('../outside', join(folder, 'out'));
  symlinkSync('../../outside/a.jpg', join(folder, 'inner/link.jpg'));
  symlinkSync('inner', join(folder, 'in'));
  symlinkSync('loop', join(folder, 'loop'));
});

const NAMES = [
  'a.jpg',
  'inner',
  'in',
  'out',
  'link.jpg',
  'loop',
  '..',
  '.',
  '',
  'outside',
  'unknown_people',
  'unknown_people_too',
  '\0',
  '%2e%2e',
  '..\\',
];
const segments = fc.array(fc.oneof(fc.constantFrom(...NAMES), fc.string({ unit: 'binary', maxLength: 12 })), { maxLength: 8 });
const path = fc
  .tuple(fc.constantFrom('', '/', '/unknown_people/', '/unknown_people', `${folder}/`, `${root}/`), segments)
  .map(([start, rest]) => start + rest.join('/'));

property('no path reads what lies outside the folder', [path], async (text) => {
  const file = await createPhotoReader(folder)(text);
  if ('bytes' in file) expect(Buffer.from(file.bytes).toString()).toBe('a photo');
  else expect(['missing_file', 'outside_folder', 'unreadable_image']).toContain(file.failure);
});

/** Small photos of every kind, to be damaged. */
const whole: Buffer[] = [];
beforeAll(async () => {
  const noise = sharp({
    create: { width: 40, height: 30, channels: 3, background: '#888', noise: { type: 'gaussian', mean: 120, sigma: 40 } },
  });
  for (const format of ['jpeg', 'png', 'webp'] as const) whole.push(await noise.clone().toFormat(format).toBuffer());
  whole.push(await noise.clone().jpeg().withMetadata({ orientation: 6 }).toBuffer());
});

const damage = fc.record({ at: fc.nat(), drop: fc.nat(40), put: fc.uint8Array({ maxLength: 8 }) });

/** Opens and decodes; only the photo's own fault may come of it. */
async function look(bytes: Uint8Array): Promise<void> {
  try {
    const photo = await openPhoto(bytes);
    expect(photo.width * photo.height).toBeLessThanOrEqual(MAX_PIXELS);
    if (photo.width * photo.height < 10_000) await photo.read(1);
  } catch (error) {
    if (!(error instanceof PhotoError)) throw error;
  }
}

property(
  'a damaged photo is read, or is the photo’s own fault',
  [fc.nat(3), fc.array(damage, { minLength: 1, maxLength: 4 })],
  async (kind, damages) => {
    let bytes = whole[kind] as Buffer;
    for (const { at, drop, put } of damages) {
      // Headers are at the beginning, and most of what can go wrong is in them.
      const place = at % Math.min(bytes.length, at % 3 === 0 ? bytes.length : 200);
      bytes = Buffer.concat([bytes.subarray(0, place), put, bytes.subarray(place + drop)]);
    }
    await look(new Uint8Array(bytes));
  },
  { cost: 2 },
);

const magic = fc.constantFrom('\xff\xd8\xff', '\x89PNG\r\n\x1a\n', 'RIFF\x20\0\0\0WEBPVP8X', '');

property('bytes that only begin like a photo are none', [magic, fc.uint8Array({ maxLength: 300 })], async (head, rest) => {
  await look(new Uint8Array(Buffer.concat([Buffer.from(head, 'latin1'), rest])));
});

property(
  'a PNG is as large as its header claims, or over the limit and refused before it is decoded',
  [fc.integer({ min: 1, max: 20_000 }), fc.integer({ min: 1, max: 20_000 })],
  async (width, height) => {
    const claim = Buffer.from(whole[1] as Buffer);
    claim.writeUInt32BE(width, 16);
    claim.writeUInt32BE(height, 20);
    claim.writeUInt32BE(crc32(claim.subarray(12, 29)), 29);
    const opened = openPhoto(new Uint8Array(claim));
    if (width * height > MAX_PIXELS) await expect(opened).rejects.toMatchObject({ code: 'too_large' });
    else expect(await opened).toMatchObject({ width, height });
  },
);
