import type { RowDataPacket, Statements } from '@kube-face/shared-lib/mysql';
import type { z } from 'zod';
import type { Person, PersonDetail } from './people-schemas.ts';

type PersonJson = z.output<typeof Person>;

export type PersonReader = {
  /** People by id, from `after` on. */
  list(page: { after: number; limit: number }): Promise<PersonJson[]>;
  get(id: number): Promise<z.output<typeof PersonDetail> | undefined>;
};

const LIST = `
  select p.id, p.name, p.created_at, p.updated_at,
    (select count(*) from person_images pi where pi.person_id = p.id) as images
  from person p where p.id > ? order by p.id limit ?`;
const PERSON = 'select id, name, created_at, updated_at from person where id = ?';
const IMAGES = 'select image_name, created_at from person_images where person_id = ? and image_name is not null order by id';
const REDECISIONS = `
  select coalesce(sum(changed), 0) as changed, coalesce(sum(finished_at is null), 0) as running
  from redecisions where person = ?`;

export function createPersonReader(database: Pick<Statements, 'query' | 'execute'>): PersonReader {
  return {
    async list({ after, limit }) {
      const rows = await database.query<RowDataPacket[]>(LIST, [after, limit]);
      return rows.map((row) => toPerson(row, row.images));
    },

    async get(id) {
      const [row] = await database.execute<RowDataPacket[]>(PERSON, [id]);
      if (!row) return undefined;
      const images = await database.execute<RowDataPacket[]>(IMAGES, [id]);
      const [redecisions] = await database.execute<RowDataPacket[]>(REDECISIONS, [id]);
      return {
        ...toPerson(row, images.length),
        images: images.map((image) => ({ imageName: image.image_name, createdAt: image.created_at.toISOString() })),
        changedPhotos: Number(redecisions?.changed ?? 0),
        redeciding: Number(redecisions?.running ?? 0) > 0,
      };
    },
  };
}

function toPerson(row: RowDataPacket, imageCount: number): PersonJson {
  return {
    id: row.id,
    name: row.name,
    imageCount,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}
