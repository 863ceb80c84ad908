import { randomFillSync } from 'node:crypto';

const BYTES = 16;
const TIME_BYTES = 6;

/**
 * The token of one INSERT, by which its ids are read back.
 *
 *   [milliseconds since 1970, 6 bytes, highest first][random, 10 bytes]
 *
 * Time stands first so that the index over it grows at its end, however many rows there are.
 */
export function newBatchToken(now: number): Buffer {
  const token = Buffer.allocUnsafe(BYTES);
  token.writeUIntBE(now, 0, TIME_BYTES);
  return randomFillSync(token, TIME_BYTES);
}
