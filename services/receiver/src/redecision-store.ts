import { NOBODY } from '@kube-face/shared-lib/image-status';
import type { Database, ResultSetHeader, RowDataPacket, Statements } from '@kube-face/shared-lib/mysql';
import type { CandidatePerson } from '@kube-face/shared-lib/name-face';
import { recomputePersons } from './best-face.ts';

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

/** Another process has the work now. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}

export type RedecisionStore = {
  order(threshold: number): Promise<number>;
  get(id: number): Promise<Redecision | undefined>;
  /** The oldest work that nobody does, taken for a while; undefined where there is none. */
  claim(): Promise<Redecision | undefined>;
  /** Gives claimed work back. */
  release(id: number): Promise<void>;
  faces(model: string, after: number, limit: number): Promise<StoredFace[]>;
  /** Writes a part of the work and how far it is, or nothing. Answers how many photos got another person. */
  save(id: number, progress: Progress): Promise<number>;
  /** The same without a trace. */
  rehearse(progress: Progress): Promise<number>;
  finish(id: number): Promise<void>;
};

const LEASE_SECONDS = 60;

const ORDER = 'insert into redecisions (threshold) values (?)';
const COLUMNS = 'id, person, threshold, last_face, examined, changed, finished_at';
const GET = `select ${COLUMNS} from redecisions where id = ?`;
const CLAIM = `
  update redecisions set lease_owner = ?, lease_until = current_timestamp(3) + interval ${LEASE_SECONDS} second
  where finished_at is null and (lease_until is null or lease_until < current_timestamp(3) or lease_owner = ?)
  order by id limit 1`;
const CLAIMED = `select ${COLUMNS} from redecisions where lease_owner = ? and finished_at is null order by id limit 1`;
const RELEASE = 'update redecisions set lease_until = null, lease_owner = null where id = ? and lease_owner = ?';
const FACES = `
  select id, image, descriptor, person, image_name, distance, corrected from faces where model = ? and id > ? order by id limit ?`;
const ADVANCE = `
  update redecisions set last_face = ?, examined = examined + ?, changed = changed + ?,
    lease_until = current_timestamp(3) + interval ${LEASE_SECONDS} second
  where id = ? and lease_owner = ? and finished_at is null`;
const FINISH = 'update redecisions set finished_at = current_timestamp(3) where id = ? and lease_owner = ?';
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
      const { affectedRows } = await database.query<ResultSetHeader>(CLAIM, [owner, owner]);
      if (affectedRows === 0) return undefined;
      const [row] = await database.query<RowDataPacket[]>(CLAIMED, [owner]);
      return row && toRedecision(row);
    },

    async release(id) {
      await database.query(RELEASE, [id, owner]);
    },

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
        const changed = await apply(statements, changes);
        const { affectedRows } = await statements.query<ResultSetHeader>(ADVANCE, [lastFace, examined, changed, id, owner]);
        if (affectedRows !== 1) throw new LeaseLostError();
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

    async finish(id) {
      await database.query(FINISH, [id, owner]);
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
