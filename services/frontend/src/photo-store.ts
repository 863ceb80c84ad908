import type { Database, RowDataPacket } from '@kube-face/shared-lib/mysql';
import { listPhotos, type PhotoList } from './photo-list.ts';
import type { PhotoQuery } from './photo-query.ts';

export type PhotoStore = ReturnType<typeof createPhotoStore>;

const PATH = 'select path from images where id = ?';

/** What pages read of the photos' tables. */
export function createPhotoStore(db: Database) {
  return {
    list: (query: PhotoQuery): Promise<PhotoList> => listPhotos(db, query),

    async pathOf(id: number): Promise<string | undefined> {
      const [row] = await db.execute<(RowDataPacket & { path: string })[]>(PATH, [id]);
      return row?.path;
    },
  };
}
