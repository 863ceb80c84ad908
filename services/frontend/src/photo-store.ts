import type { Database, RowDataPacket } from '@kube-face/shared-lib/mysql';
import { PHOTO_COLUMNS, type Photo, type PhotoRow, toPhoto } from './photo.ts';
import { findPhotoDetail, type PhotoDetail, parseBox } from './photo-detail.ts';
import { listPhotos, type PhotoList } from './photo-list.ts';
import type { PhotoQuery } from './photo-query.ts';
import type { Box } from './pictures.ts';

export type PhotoStore = ReturnType<typeof createPhotoStore>;

const PATH = 'select path from images where id = ?';
const FACE = `
  select i.path, f.box from faces f join images i on i.id = f.image where f.id = ? and f.image = ?`;
const BY_IDS = `select ${PHOTO_COLUMNS} from images i left join person p on p.id = i.person where i.id in (?)`;
const NEWEST = `
  select ${PHOTO_COLUMNS} from (select id from images order by id desc limit ?) picked
  join images i on i.id = picked.id left join person p on p.id = i.person`;
const JUST_FINISHED = `
  select ${PHOTO_COLUMNS}
  from (
    select id from images force index (images_finished) where finished_at >= now(3) - interval ? second
    order by finished_at desc limit ?
  ) picked
  join images i on i.id = picked.id left join person p on p.id = i.person`;

/** What pages read of the photos' tables. */
export function createPhotoStore(db: Database) {
  return {
    list: (query: PhotoQuery): Promise<PhotoList> => listPhotos(db, query),
    detail: (id: number): Promise<PhotoDetail | undefined> => findPhotoDetail(db, id),

    async pathOf(id: number): Promise<string | undefined> {
      const [row] = await db.query<(RowDataPacket & { path: string })[]>(PATH, [id]);
      return row?.path;
    },

    /** The path of a photo and the box of a face on it. */
    async faceOf(id: number, face: number): Promise<{ path: string; box: Box } | undefined> {
      const [row] = await db.query<(RowDataPacket & { path: string; box: string })[]>(FACE, [face, id]);
      const box = row && parseBox(row.box);
      return box && { path: row.path, box };
    },

    /** Those of the photos that are still there, in no order. */
    async byIds(ids: readonly number[]): Promise<Photo[]> {
      return ids.length === 0 ? [] : (await db.query<PhotoRow[]>(BY_IDS, [ids])).map(toPhoto);
    },

    /** The last photos that were posted, in no order. */
    async newest(limit: number): Promise<Photo[]> {
      return (await db.query<PhotoRow[]>(NEWEST, [limit])).map(toPhoto);
    },

    /** The last photos that were finished within so many seconds, in no order. */
    async justFinished(seconds: number, limit: number): Promise<Photo[]> {
      return (await db.query<PhotoRow[]>(JUST_FINISHED, [seconds, limit])).map(toPhoto);
    },
  };
}
