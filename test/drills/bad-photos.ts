import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { photoOf } from '../../scripts/demo/sample-files.ts';

export type BadPhoto = { name: string; path: string; outcome: string; person?: string };

const SIDE = 20_000;
const PERSON = 'Alice';

/** Pixels by the hundred million in a few kilobytes: black, one bit each. */
function hugePng(): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(SIDE, 0);
  header.writeUInt32BE(SIDE, 4);
  header.set([1, 0, 0, 0, 0], 8); // one bit, grey
  const rows = deflateSync(Buffer.alloc(SIDE * (1 + SIDE / 8)), { level: 9 });
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))]);
}

/** A photo that a camera held turned: its pixels lie on their side, and EXIF says how to look at it. */
async function turned(upright: Buffer, orientation: number): Promise<Buffer> {
  const degrees = { 1: 0, 2: 0, 3: 180, 4: 180, 5: 270, 6: 270, 7: 90, 8: 90 }[orientation] ?? 0;
  const isMirrored = [2, 4, 5, 7].includes(orientation);
  const mirrored = isMirrored ? await sharp(upright).flop().toBuffer() : upright;
  return sharp(mirrored).rotate(degrees).jpeg().withMetadata({ orientation }).toBuffer();
}

/** Puts a photo of each kind into the folder; says what must come of it. */
export async function makeBadPhotos(folder: string, outside: string): Promise<BadPhoto[]> {
  const photo = await sharp(await photoOf(PERSON))
    .resize(300, 300)
    .jpeg()
    .toBuffer();
  const photos: BadPhoto[] = [];

  function file(name: string, bytes: Buffer | string, outcome: string): void {
    writeFileSync(join(folder, name), bytes);
    photos.push({ name, path: name, outcome, ...(outcome === 'match' && { person: PERSON }) });
  }

  file('empty.jpg', '', 'unreadable_image');
  file('truncated.jpg', photo.subarray(0, photo.length / 2), 'unreadable_image');
  file('header-only.jpg', photo.subarray(0, 20), 'unreadable_image');
  file('text.jpg', 'this is no photo\n', 'unreadable_image');
  file('noise.jpg', Buffer.concat([photo.subarray(0, 2), Buffer.alloc(5_000, 0x5a)]), 'unreadable_image');
  file('huge.png', hugePng(), 'too_large');
  file('heavy.jpg', photo, 'too_large');
  truncateSync(join(folder, 'heavy.jpg'), 21 * 1024 * 1024);

  file('wrong-extension.jpg', await sharp(photo).png().toBuffer(), 'match');
  file('16-bit.png', await sharp(photo).toColourspace('rgb16').png().toBuffer(), 'match');
  file('cmyk.jpg', await sharp(photo).toColourspace('cmyk').jpeg().toBuffer(), 'match');
  file('progressive.jpg', await sharp(photo).jpeg({ progressive: true }).toBuffer(), 'match');
  file('grey.jpg', await sharp(photo).greyscale().jpeg().toBuffer(), 'match');
  file('alpha.png', await sharp(photo).ensureAlpha(0.9).png().toBuffer(), 'match');
  for (let orientation = 1; orientation <= 8; orientation += 1) {
    file(`exif-${orientation}.jpg`, await turned(photo, orientation), 'match');
  }
  const frames = await Promise.all([photo, photo].map((one) => sharp(one).png().toBuffer()));
  file(
    'animated.webp',
    await sharp(frames, { join: { animated: true } })
      .webp({ loop: 0 })
      .toBuffer(),
    'match',
  );
  file('unreadable.jpg', photo, process.getuid?.() === 0 ? 'match' : 'unreadable_image'); // nothing is closed to root
  chmodSync(join(folder, 'unreadable.jpg'), 0);

  mkdirSync(join(folder, 'directory.jpg'));
  photos.push({ name: 'directory', path: 'directory.jpg', outcome: 'unreadable_image' });
  execFileSync('mkfifo', [join(folder, 'fifo.jpg')]);
  photos.push({ name: 'fifo', path: 'fifo.jpg', outcome: 'unreadable_image' });
  writeFileSync(join(outside, 'secret.jpg'), photo);
  symlinkSync(join(outside, 'secret.jpg'), join(folder, 'link-out.jpg'));
  photos.push({ name: 'link out', path: 'link-out.jpg', outcome: 'outside_folder' });
  symlinkSync('loop.jpg', join(folder, 'loop.jpg'));
  photos.push({ name: 'link to itself', path: 'loop.jpg', outcome: 'missing_file' });
  symlinkSync('16-bit.png', join(folder, 'link-in.jpg'));
  photos.push({ name: 'link inside', path: 'link-in.jpg', outcome: 'match', person: PERSON });
  photos.push({ name: 'traversal', path: '../../etc/passwd', outcome: 'outside_folder' });
  photos.push({ name: 'traversal by the usual prefix', path: '/unknown_people/../../etc/passwd', outcome: 'outside_folder' });
  photos.push({ name: 'absolute', path: '/etc/passwd', outcome: 'outside_folder' });
  photos.push({ name: 'missing', path: 'nobody.jpg', outcome: 'missing_file' });
  return photos;
}
