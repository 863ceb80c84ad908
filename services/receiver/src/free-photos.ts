import { NOBODY } from '@kube-face/shared-lib/image-status';
import type { Database, RowDataPacket } from '@kube-face/shared-lib/mysql';
import { recomputePersons } from './best-face.ts';

const BATCH = 1_000;

const IMAGES_BY_FACE = `select distinct image as id from faces where person = ? limit ${BATCH}`;
const IMAGES_BY_PERSON = `select id from images where person = ? limit ${BATCH}`;
const FREE_FACES = `
  update faces set person = ${NOBODY}, image_name = null, corrected = 0 where image in (?) and person = ?`;
const FREE_IMAGES = `update images set person = ${NOBODY} where id in (?) and person = ?`;

/** Takes a person from every face and photo that it was recognised on; photos get the person of their next best face, or nobody. */
export function createFreePhotos(database: Pick<Database, 'transaction'>) {
  async function inBatches(find: string, person: number): Promise<number> {
    for (let changed = 0; ; ) {
      const count = await database.transaction(async (statements) => {
        const images = (await statements.query<RowDataPacket[]>(find, [person])).map((row) => row.id as number);
        if (images.length === 0) return 0;
        await statements.query(FREE_FACES, [images, person]);
        await recomputePersons(statements, images);
        await statements.query(FREE_IMAGES, [images, person]); // whatever their status
        return images.length;
      });
      if (count === 0) return changed;
      changed += count;
    }
  }

  /** Answers how many photos it took the person from. */
  return async (person: number): Promise<number> =>
    (await inBatches(IMAGES_BY_FACE, person)) + (await inBatches(IMAGES_BY_PERSON, person));
}

export type FreePhotos = ReturnType<typeof createFreePhotos>;
