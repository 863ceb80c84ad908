export const PHOTO_KINDS = ['jpg', 'png', 'webp'] as const;
export type PhotoKind = (typeof PHOTO_KINDS)[number];

/** Bytes that are needed to tell. */
export const KIND_BYTES = 12;

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/**
 * What a file is by its first bytes, whatever its name says; also the extension it is stored under.
 *
 *   JPEG  ff d8 ff
 *   PNG   89 "PNG" 0d 0a 1a 0a
 *   WebP  "RIFF" [length, 4 bytes] "WEBP"
 */
export function photoKind(head: Buffer): PhotoKind | undefined {
  if (head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff) return 'jpg';
  if (head.subarray(0, PNG.length).equals(PNG)) return 'png';
  if (head.toString('latin1', 0, 4) === 'RIFF' && head.toString('latin1', 8, 12) === 'WEBP') return 'webp';
  return undefined;
}
