import { createTurns } from '@kube-face/shared-lib/turns';
import sharp, { type Sharp } from 'sharp';
import { createByteCache } from './byte-cache.ts';
import type { PhotoFile, PhotoFolder } from './photo-folder.ts';

export type Box = Readonly<{ x: number; y: number; width: number; height: number }>;

/** A small square, the whole photo for a screen, or a square around a face (a box in pixels of the upright photo). */
export type Variant = 'thumb' | 'large' | { face: Box };

export type Picture = Readonly<{ body: Buffer; type: 'image/webp'; etag: string }>;
/** The one that asked has this picture already. */
export type Unchanged = Readonly<{ etag: string; body?: undefined }>;

export type Size = Readonly<{ width: number; height: number }>;

export type Pictures = {
  /**
   * A photo of the folder, resized and upright; without its body where `known` names its present tag; undefined where there is no such
   * photo or it cannot be read. Throws a NoTurnError under overload.
   */
  get(folder: PhotoFolder, path: string, variant: Variant, known?: string): Promise<Picture | Unchanged | undefined>;
  /** Width and height of the upright photo. */
  sizeOf(folder: PhotoFolder, path: string): Promise<Size | undefined>;
};

const MAX_PIXELS = 50_000_000;
const THUMB = 160; // shown at 56 to 80 CSS pixels, on screens with two or more of their own to each
const LARGE = 1600;
const FACE = 320;
const FACE_MARGIN = 0.35; // of the box on each side, so that hair and chin are on it

// Whatever else libvips could read (SVG, PDF, GIF) is never tried on bytes that strangers sent.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: ['VipsForeignLoadJpegBuffer', 'VipsForeignLoadPngBuffer', 'VipsForeignLoadWebpBuffer'] });

// One photo decodes to up to 200 MB: two at a time, each on one thread, and libvips keeps nothing of them.
sharp.concurrency(1);
sharp.cache(false);
const DECODINGS = { atOnce: 2, maxWaiting: 200 };

function nameOf(variant: Variant): string {
  if (typeof variant === 'string') return variant;
  const { x, y, width, height } = variant.face;
  return `face-${[x, y, width, height].map(Math.round).join('-')}`;
}

/** The square around a box, with its margin, moved and cut to lie inside the photo. */
export function squareAround(
  { x, y, width, height }: Box,
  photo: Size,
): { left: number; top: number; width: number; height: number } {
  const wanted = Math.max(width, height) * (1 + 2 * FACE_MARGIN);
  const side = Math.max(1, Math.round(Math.min(wanted, photo.width, photo.height)));
  const place = (middle: number, length: number) => Math.round(Math.min(Math.max(middle - side / 2, 0), length - side));
  return { left: place(x + width / 2, photo.width), top: place(y + height / 2, photo.height), width: side, height: side };
}

async function decode(bytes: Buffer): Promise<{ image: Sharp; size: Size } | undefined> {
  const image = sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: 'error', sequentialRead: true });
  try {
    const { autoOrient } = await image.metadata();
    return { image: image.autoOrient(), size: autoOrient };
  } catch {
    return undefined; // what it is instead of a photo is face recognition's to say
  }
}

async function resize(bytes: Buffer, variant: Variant): Promise<Buffer | undefined> {
  const decoded = await decode(bytes);
  if (!decoded) return undefined;
  const { image, size } = decoded;
  if (variant === 'thumb') image.resize(THUMB, THUMB, { fit: 'cover' });
  else if (variant === 'large') image.resize(LARGE, LARGE, { fit: 'inside', withoutEnlargement: true });
  else image.extract(squareAround(variant.face, size)).resize(FACE, FACE);
  try {
    return await image.webp({ quality: variant === 'large' ? 82 : 78, effort: 2 }).toBuffer();
  } catch {
    return undefined;
  }
}

/** Pictures for pages, the last ones kept in memory up to `cacheBytes`. Two viewers of one photo wait for one decoding. */
export function createPictures({ cacheBytes }: { cacheBytes: number }): Pictures {
  const cache = createByteCache<Picture>(cacheBytes);
  const sizes = new Map<string, Size>();
  const making = new Map<string, Promise<Picture | undefined>>();
  const inTurn = createTurns(DECODINGS);

  async function make(file: PhotoFile, variant: Variant, etag: string): Promise<Picture | undefined> {
    const body = await resize(await file.read(), variant);
    if (!body) return undefined;
    const picture: Picture = { body, type: 'image/webp', etag };
    cache.set(etag, picture);
    return picture;
  }

  async function withFile<T>(folder: PhotoFolder, path: string, work: (file: PhotoFile) => Promise<T>): Promise<T | undefined> {
    return inTurn(async () => {
      const file = await folder.open(path);
      if (!file) return undefined;
      try {
        return await work(file);
      } finally {
        await file.close();
      }
    });
  }

  return {
    get: (folder, path, variant, known) =>
      withFile(folder, path, async (file) => {
        const etag = `"${file.tag}.${nameOf(variant)}"`;
        if (known?.split(/\s*,\s*/).includes(etag)) return { etag };
        const kept = cache.get(etag);
        if (kept) return kept;
        const work = making.get(etag) ?? make(file, variant, etag).finally(() => making.delete(etag));
        making.set(etag, work);
        return work;
      }),
    sizeOf: (folder, path) =>
      withFile(folder, path, async (file) => {
        const kept = sizes.get(file.tag);
        if (kept) return kept;
        const size = (await decode(await file.read()))?.size;
        if (size) sizes.set(file.tag, size);
        if (sizes.size > 10_000) sizes.clear();
        return size;
      }),
  };
}
