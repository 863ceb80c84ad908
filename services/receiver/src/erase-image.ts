import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Database, RowDataPacket } from '@kube-face/shared-lib/mysql';

export type EraseImage = (id: number) => Promise<boolean>;

const FIND = 'select path, content_sha256 from images where id = ? for update';
const DELETE = [
  'delete from faces where image = ?',
  'delete from attempts where image = ?',
  'delete from images where id = ?',
] as const;

/**
 * Erases a photo: its row, its faces, its attempts, and the file where an upload made it. A file that was only posted by its path
 * is its owner's. Answers false where there is no such photo.
 */
export function createEraseImage({ database, folder }: { database: Pick<Database, 'transaction'>; folder: string }): EraseImage {
  return async (id) => {
    const found = await database.transaction(async (statements) => {
      const [row] = await statements.query<RowDataPacket[]>(FIND, [id]);
      if (row) for (const statement of DELETE) await statements.query(statement, [id]);
      return row;
    });
    // After the row: a file that nobody names does no harm, a row without its file would fail.
    if (found?.content_sha256) await rm(join(folder, basename(found.path)), { force: true });
    return found !== undefined;
  };
}
