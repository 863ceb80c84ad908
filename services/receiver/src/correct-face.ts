import { NOBODY } from '@kube-face/shared-lib/image-status';
import type { Database, RowDataPacket } from '@kube-face/shared-lib/mysql';
import type { CandidatePerson } from '@kube-face/shared-lib/name-face';
import { recomputePersons } from './best-face.ts';

export type Correction = 'corrected' | 'no_such_image' | 'no_such_face' | 'no_such_person';

const IMAGE = 'select id from images where id = ? for update';
const FACE = 'select candidates from faces where id = ? and image = ? for update';
const PERSON = 'select id from person where id = ? lock in share mode'; // not erased before this is committed
const CORRECT = 'update faces set person = ?, image_name = ?, distance = ?, corrected = 1 where id = ?';

/**
 * Gives a face its person by hand, or nobody (`person` null); recognition leaves it alone from then on. The known photo and the
 * distance are those of the person where it was a candidate.
 */
export function createCorrectFace(database: Pick<Database, 'transaction'>) {
  return (image: number, face: number, person: number | null): Promise<Correction> =>
    database.transaction(async (statements) => {
      const images = await statements.query<RowDataPacket[]>(IMAGE, [image]);
      if (images.length === 0) return 'no_such_image';
      const [row] = await statements.query<RowDataPacket[]>(FACE, [face, image]);
      if (!row) return 'no_such_face';
      if (person !== null && (await statements.query<RowDataPacket[]>(PERSON, [person])).length === 0) return 'no_such_person';
      const candidates: CandidatePerson[] = row.candidates === null ? [] : JSON.parse(row.candidates);
      const candidate = candidates.find((one) => one.person === person);
      await statements.query(CORRECT, [person ?? NOBODY, candidate?.imageName ?? null, candidate?.distance ?? null, face]);
      await recomputePersons(statements, [image]);
      return 'corrected';
    });
}

export type CorrectFace = ReturnType<typeof createCorrectFace>;
