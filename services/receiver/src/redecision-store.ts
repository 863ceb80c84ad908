import { NOBODY } from '@kube-face/shared-lib/image-status';
import { lockPeople } from '@kube-face/shared-lib/lock-people';
import type { Database, ResultSetHeader, RowDataPacket, Statements } from '@kube-face/shared-lib/mysql';
import type { CandidatePerson } from '@kube-face/shared-lib/name-face';
import { recomputePersons } from './best-face.ts';
import { createLeasedWork, type LeasedWork } from './leased-work.ts';

/** Earlier faces to decide anew: against the photos of one person, or by another threshold. */
export type Redecision = {
  id: number;
  person: number | undefined;
  threshold: number | undefined;
  lastFace: number;
  examined: number;
  changed: number;
  isFinished: boolean;
};

export type StoredFace = {
  id: number;
  image: number;
  descriptor: Buffer | undefined;
  person: number;
  imageName: string | undefined;
  distance: number | undefined;
  isCorrected: boolean;
};

/** What a face becomes. `match` is undefined where it is nobody's. */
export type FaceChange = { face: StoredFace; match: CandidatePerson | undefined; candidates: CandidatePerson[] };

export type Progress = { lastFace: number; examined: number; changes: readonly FaceChange[] };

/** Somebody among the candidates was erased meanwhile: the faces are to be judged again. */
export class PersonErasedError extends Error {
  override readonly name = 'PersonErasedError';
}

export type RedecisionStore = Pick<LeasedWork, 'release' | 'finish'> & {
  order(threshold: number): Promise<number>;
  get(id: number): Promise<Redecision | undefined>;
  claim(): Promise<Redecision | undefined>;
  faces(model: string, after: number, limit: number): Promise<StoredFace[]>;
  /**
   * Writes a part of the work and how far it is, or nothing. Answers how many photos got another person. Throws LeaseLostError,
   * and PersonErasedError.
   */
  save(id: number, progress: Progress): Promise<number>;
  /** The same without a trace. */
  rehearse(progress: Progress): Promise<number>;
};

const ORDER = 'insert into redecisions (threshold) values (?)';
const COLUMNS = 'id, person, threshold, last_face, examined, changed, finished_at';
const GET = `select ${COLUMNS} from redecisions where id = ?`;
const FACES = `
  select id, image, descriptor, person, image_name, distance, corrected from faces where model = ? and id > ? order by id limit ?`;
const PERSONS = 'select id, person from images where id in (?) for update';

const MAX_CHANGES = 200; // of one statement
// By cases, not by a join with a list: that would be a temporary table on disk, for the sake of the candidates' text.
const changeFaces = (rows: number) => {
  const byId = `case id ${Array(rows).fill('when ? then ?').join(' ')} end`;
  return `
    update faces set person = ${byId}, image_name = ${byId}, distance = ${byId}, candidates = ${byId}
    where id in (?) and corrected = 0`;
};

/** `owner` is unlike that of any other process. */
export function createRedecisionStore(database: Database, owner: string): RedecisionStore {
  const work = createLeasedWork(database, { table: 'redecisions', columns: COLUMNS, owner });

  async function keepPeople(statements: Statements, changes: readonly FaceChange[]): Promise<void> {
    const named = new Set(changes.flatMap(({ candidates }) => candidates.map(({ person }) => person)));
    if ((await lockPeople(statements, named)).size < named.size) throw new PersonErasedError();
  }

  async function apply(statements: Statements, changes: readonly FaceChange[]): Promise<number> {
    if (changes.length === 0) return 0;
    const images = [...new Set(changes.map(({ face }) => face.image))];
    const before = await personsOf(statements, images);
    for (let at = 0; at < changes.length; at += MAX_CHANGES) {
      const some = changes.slice(at, at + MAX_CHANGES);
      await statements.query(changeFaces(some.length), valuesOf(some));
    }
    await recomputePersons(statements, images);
    const after = await personsOf(statements, images);
    return images.filter((image) => before.get(image) !== after.get(image)).length;
  }

  return {
    async order(threshold) {
      return (await database.query<ResultSetHeader>(ORDER, [threshold])).insertId;
    },

    async get(id) {
      const [row] = await database.query<RowDataPacket[]>(GET, [id]);
      return row && toRedecision(row);
    },

    async claim() {
      const row = await work.claim();
      return row && toRedecision(row);
    },

    release: work.release,
    finish: work.finish,

    async faces(model, after, limit) {
      const rows = await database.query<RowDataPacket[]>(FACES, [model, after, limit]);
      return rows.map((row) => ({
        id: row.id,
        image: row.image,
        descriptor: row.descriptor ?? undefined,
        person: row.person,
        imageName: row.image_name ?? undefined,
        distance: row.distance ?? undefined,
        isCorrected: row.corrected === 1,
      }));
    },

    save: (id, { lastFace, examined, changes }) =>
      database.transaction(async (statements) => {
        await keepPeople(statements, changes);
        const changed = await apply(statements, changes);
        await work.advance(id, { lastFace, examined, changed }, statements);
        return changed;
      }),

    async rehearse({ changes }) {
      try {
        return await database.transaction(async (statements) => {
          throw new Rehearsed(await apply(statements, changes)); // a throw takes everything back
        });
      } catch (error) {
        if (error instanceof Rehearsed) return error.changed;
        throw error;
      }
    },
  };
}

class Rehearsed extends Error {
  readonly changed: number;

  constructor(changed: number) {
    super('rehearsed');
    this.changed = changed;
  }
}

async function personsOf(statements: Statements, images: readonly number[]): Promise<Map<number, number>> {
  const rows = await statements.query<RowDataPacket[]>(PERSONS, [images]);
  return new Map(rows.map(({ id, person }) => [id, person]));
}

function valuesOf(changes: readonly FaceChange[]): (number | string | null | number[])[] {
  const pairs = (value: (change: FaceChange) => number | string | null) =>
    changes.flatMap((change) => [change.face.id, value(change)]);
  return [
    ...pairs(({ match }) => match?.person ?? NOBODY),
    ...pairs(({ match }) => match?.imageName ?? null),
    ...pairs(({ match, candidates }) => (match ?? candidates[0])?.distance ?? null),
    ...pairs(({ candidates }) => JSON.stringify(candidates)),
    changes.map(({ face }) => face.id),
  ];
}

function toRedecision(row: RowDataPacket): Redecision {
  return {
    id: row.id,
    person: row.person ?? undefined,
    threshold: row.threshold ?? undefined,
    lastFace: row.last_face,
    examined: row.examined,
    changed: row.changed,
    isFinished: row.finished_at !== null,
  };
}
