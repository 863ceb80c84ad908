import sharp, { type Metadata, type Sharp, type SharpOptions } from 'sharp';
import { PhotoError } from './errors.ts';
import { createRaster, type Raster } from './raster.ts';

/** The largest photo that is looked at, checked before anything is decoded. */
export const MAX_BYTES = 20 * 1024 * 1024;
export const MAX_PIXELS = 50_000_000;

/** The most pixels that are decoded of a photo: they take three bytes each, in every worker. */
const MAX_DECODED = 16_000_000;

/** The scale at which a photo is decoded at most. */
export function largestScale(width: number, height: number): number {
  return Math.min(1, Math.sqrt(MAX_DECODED / (width * height)));
}

// A decoder that hangs holds a thread of libuv's pool, which ending the worker does not end; this does.
const DECODE_SECONDS = 30;

/** Width and height are those of the upright photo. */
export type Photo = {
  width: number;
  height: number;
  /** Decodes, at `scale` (1: every pixel) or the next larger one that costs no more. */
  read(scale: number): Promise<Raster>;
};

/** Fails with a `PhotoError`: not a JPEG, PNG or WebP, damaged, or over the limits. The first frame of an animation counts. */
export async function openPhoto(bytes: Uint8Array): Promise<Photo> {
  if (bytes.length > MAX_BYTES) throw new PhotoError('too_large', `${bytes.length} bytes; at most ${MAX_BYTES} are taken`);
  const format = formatOf(bytes);
  if (!format) throw new PhotoError('unreadable_image', 'neither JPEG, PNG nor WebP');

  const header = await orUnreadable(open(bytes).metadata());
  const { width, height } = header.autoOrient;
  if (width * height > MAX_PIXELS) {
    throw new PhotoError('too_large', `${width} x ${height} pixels; at most ${MAX_PIXELS / 1e6} megapixels are taken`);
  }
  return { width, height, read: (scale) => read(bytes, header, scale) };
}

async function read(bytes: Uint8Array, header: Metadata, scale: number): Promise<Raster> {
  const { width, height } = header.autoOrient;
  // A JPEG comes out at a half, a quarter or an eighth for less than it costs whole; anything else costs the same at every size.
  const divisor = [8, 4, 2].find((by) => header.format === 'jpeg' && scale * by <= 1 && Math.min(width, height) >= by) ?? 1;
  // Converting from the photo's own colours takes longer than decoding it, and dlib and its users never did. Ink goes by libvips's profile.
  const image = open(bytes, { ignoreIcc: true }).autoOrient();
  if (divisor > 1) {
    // Where the sides do not divide evenly, the rest of the way is a pixel or so.
    image.resize(Math.floor(width / divisor), Math.floor(height / divisor), { fit: 'fill', kernel: 'nearest' });
  } else if (width * height > MAX_DECODED || (header.format !== 'jpeg' && scale < 0.5)) {
    const smaller = Math.min(scale, largestScale(width, height));
    image.resize(Math.max(1, Math.round(width * smaller)), Math.max(1, Math.round(height * smaller)), {
      fit: 'fill',
      kernel: 'linear',
    });
  }
  const { data, info } = await orUnreadable(
    image
      .removeAlpha()
      .toColourspace('srgb')
      .timeout({ seconds: DECODE_SECONDS })
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true }),
  );
  const plain = new Uint8Array(data.buffer, data.byteOffset, data.byteLength); // a Buffer would make every later loop slower
  const rgb = info.channels === 1 ? greyToRgb(plain) : plain;
  return createRaster({ data: rgb, width: info.width, height: info.height }, info.width / width);
}

function open(bytes: Uint8Array, options: SharpOptions = {}): Sharp {
  return sharp(bytes, { failOn: 'truncated', limitInputPixels: false, ...options });
}

async function orUnreadable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new PhotoError('unreadable_image', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** By the first bytes, so that no other decoder of libvips is ever handed a stranger's file. */
function formatOf(bytes: Uint8Array): 'jpeg' | 'png' | 'webp' | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 12)).toString('latin1');
  if (head.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (head.startsWith('RIFF') && head.slice(8) === 'WEBP') return 'webp';
  return undefined;
}

function greyToRgb(grey: Uint8Array): Uint8Array {
  const out = new Uint8Array(grey.length * 3);
  for (let i = 0; i < grey.length; i++) out.fill(grey[i]!, 3 * i, 3 * i + 3);
  return out;
}
