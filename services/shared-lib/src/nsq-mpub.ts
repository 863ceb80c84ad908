import { IMAGES_TOPIC } from './image-id.ts';

const HEAD = Buffer.from(`MPUB ${IMAGES_TOPIC}\n`);
const SIZE = 4;
const ID = 8;

/**
 * The command that publishes many ids in one block. All numbers but the ids have their highest byte first.
 *
 *   "MPUB images\n" [bytes that follow, 4][number of messages, 4] then for each [its size, 4][id as in image-id.ts, 8]
 *
 * nsqjs writes the same, at ten times the cost.
 */
export function encodeMpub(ids: readonly number[]): Buffer {
  const body = SIZE + ids.length * (SIZE + ID);
  const command = Buffer.allocUnsafe(HEAD.length + SIZE + body);
  HEAD.copy(command);
  let at = command.writeInt32BE(body, HEAD.length);
  at = command.writeInt32BE(ids.length, at);
  for (const id of ids) {
    at = command.writeInt32BE(ID, at);
    at = command.writeUInt32LE(id >>> 0, at);
    at = command.writeUInt32LE(Math.floor(id / 2 ** 32), at);
  }
  return command;
}
