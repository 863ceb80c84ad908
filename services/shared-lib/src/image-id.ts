/** Topic and channel of the queue of photos. */
export const IMAGES_TOPIC = 'images';
export const IMAGES_CHANNEL = 'ch';

const BYTES = 8;

/**
 * Body of a message on topic `images`: the image id, as Go's binary.LittleEndian.PutUint64 writes it.
 *
 *   [b0][b1][b2][b3][b4][b5][b6][b7]     b0 is the lowest byte
 */
export function encodeImageId(id: number): Buffer {
  const body = Buffer.allocUnsafe(BYTES);
  body.writeBigUInt64LE(BigInt(id));
  return body;
}

/** The id in a message's body, or undefined where the body is none: not 8 bytes, zero, or above what a number holds exactly. */
export function decodeImageId(body: Buffer): number | undefined {
  if (body.length !== BYTES) return undefined;
  const id = body.readBigUInt64LE();
  return id > 0n && id <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(id) : undefined;
}
