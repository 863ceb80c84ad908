import { createHash } from 'node:crypto';

/** What was found on a known photo: how many faces, and the descriptor of the largest; none where there is no face. */
export type KnownFace = { faces: number; descriptor: Float32Array | undefined };

const MAGIC = Buffer.from('KFC1');
const HASH_BYTES = 32;
const HEADER_BYTES = 4 + HASH_BYTES + 4 + 4 + 2;

/**
 * A cached face. `photo` is the SHA-256 of the photo's bytes, in hexadecimal. Numbers are little-endian.
 *
 *   "KFC1" | photo's hash 32 | faces u32 | numbers n u32 | model's name m u16 | name, m bytes | n float32 | SHA-256 of all that 32
 */
export function encodeEntry(model: string, photo: string, { faces, descriptor }: KnownFace): Buffer {
  const name = Buffer.from(model);
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  Buffer.from(photo, 'hex').copy(header, 4);
  header.writeUInt32LE(faces, 36);
  header.writeUInt32LE(descriptor?.length ?? 0, 40);
  header.writeUInt16LE(name.length, 44);
  const body = Buffer.concat([header, name, floatBytes(descriptor ?? new Float32Array())]);
  return Buffer.concat([body, sha256(body)]);
}

/** The face in an entry, or undefined where the entry is damaged, or not of this photo, model and length. */
export function decodeEntry(entry: Buffer, model: string, photo: string, length: number): KnownFace | undefined {
  if (entry.length < HEADER_BYTES + HASH_BYTES) return undefined;
  const body = entry.subarray(0, -HASH_BYTES);
  if (!sha256(body).equals(entry.subarray(-HASH_BYTES)) || !body.subarray(0, 4).equals(MAGIC)) return undefined;
  if (body.toString('hex', 4, 36) !== photo) return undefined;
  const faces = body.readUInt32LE(36);
  const numbers = body.readUInt32LE(40);
  const nameEnd = HEADER_BYTES + body.readUInt16LE(44);
  if (body.toString('utf8', HEADER_BYTES, nameEnd) !== model || body.length !== nameEnd + numbers * 4) return undefined;
  if (numbers !== (faces > 0 ? length : 0)) return undefined;
  return { faces, descriptor: numbers > 0 ? readFloats(body, nameEnd, numbers) : undefined };
}

/** One part of the index: photos as they were last seen, with what was found on them. */
export type IndexedPhoto = { name: string; stamp: string; photo: string } & KnownFace;

const PART_MAGIC = Buffer.from('KFI1');
export const PART_HEADER_BYTES = 4 + 4 + 4 + HASH_BYTES;

/**
 * A part of the index file, which saves a restart from opening every photo and every entry. The JSON is
 * `{"model": …, "photos": [[name, stamp, hash, faces], …]}`; a descriptor follows for each photo with a face, in that order.
 *
 *   "KFI1" | JSON's bytes j u32 | numbers n u32 | SHA-256 of what follows 32 | JSON, j bytes | n float32
 */
export function encodePart(model: string, photos: readonly IndexedPhoto[]): Buffer {
  const json = Buffer.from(
    JSON.stringify({ model, photos: photos.map(({ name, stamp, photo, faces }) => [name, stamp, photo, faces]) }),
  );
  const numbers = photos.map(({ descriptor }) => floatBytes(descriptor ?? new Float32Array()));
  const body = Buffer.concat([json, ...numbers]);
  const header = Buffer.alloc(PART_HEADER_BYTES);
  PART_MAGIC.copy(header);
  header.writeUInt32LE(json.length, 4);
  header.writeUInt32LE((body.length - json.length) / 4, 8);
  sha256(body).copy(header, 12);
  return Buffer.concat([header, body]);
}

/** How many bytes follow a part's header, or undefined where it is none. */
export function partBodyBytes(header: Buffer): number | undefined {
  if (header.length < PART_HEADER_BYTES || !header.subarray(0, 4).equals(PART_MAGIC)) return undefined;
  return header.readUInt32LE(4) + header.readUInt32LE(8) * 4;
}

/** The photos of a part, or undefined where it is damaged, or not of this model and length. */
export function decodePart(header: Buffer, body: Buffer, model: string, length: number): IndexedPhoto[] | undefined {
  if (body.length !== partBodyBytes(header) || !sha256(body).equals(header.subarray(12, 44))) return undefined;
  const jsonEnd = header.readUInt32LE(4);
  // The checksum vouches that this is what `encodePart` wrote.
  const json = JSON.parse(body.toString('utf8', 0, jsonEnd)) as { model: string; photos: [string, string, string, number][] };
  const withFace = json.photos.filter(([, , , faces]) => faces > 0).length;
  if (json.model !== model || body.length !== jsonEnd + withFace * length * 4) return undefined;
  let at = jsonEnd;
  return json.photos.map(([name, stamp, photo, faces]) => {
    const descriptor = faces > 0 ? readFloats(body, at, length) : undefined;
    if (descriptor) at += length * 4;
    return { name, stamp, photo, faces, descriptor };
  });
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

// Every platform that Node.js and the engine run on is little-endian.
function floatBytes(numbers: Float32Array): Buffer {
  return Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

function readFloats(bytes: Buffer, offset: number, count: number): Float32Array {
  return new Float32Array(new Uint8Array(bytes.subarray(offset, offset + count * 4)).buffer);
}
