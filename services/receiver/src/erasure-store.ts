import { NOBODY } from '@kube-face/shared-lib/image-status';
import type { Database, RowDataPacket } from '@kube-face/shared-lib/mysql';
import type { CandidatePerson } from '@kube-face/shared-lib/name-face';
import { createLeasedWork, type LeasedWork } from './leased-work.ts';

/** What is left to do after a person was erased: the person is still among the candidates of faces that others have, or nobody. */
export type Erasure = {
  id: number;
  person: number;
  lastFace: number;
  examined: number;
  changed: number;
  /** Every face was reached. */
  isSwept: boolean;
};

/** Some faces in the order of their ids, and which of them may have the person among their candidates. */
export type FacePage = { lastFace: number; examined: number; mentions: readonly number[] };

export type ErasureStore = Pick<LeasedWork, 'release' | 'advance' | 'finish'> & {
  get(id: number): Promise<Erasure | undefined>;
  claim(): Promise<Erasure | undefined>;
  /** The next faces after this id; undefined where there are none. */
  page(person: number, after: number): Promise<FacePage | undefined>;
  /** Takes the person from the candidates of these faces. Answers of how many. */
  clear(person: number, faces: readonly number[]): Promise<number>;
  /** Notes that every face was reached, and lets the work lie until late mentions can be there. */
  rest(id: number): Promise<void>;
};

export type ErasureStoreOptions = {
  /** Unlike that of any other process. */
  owner: string;
  restMs?: number;
};

// The original's processor may write the person of a photo that it was recognising meanwhile.
const REST_MS = 15_000;
const PAGE = 2_000;
const MAX_CHANGES = 200; // of one transaction: whoever writes a result into the same rows waits for it

const COLUMNS = 'id, person, last_face, examined, changed, swept_at';
const GET = `select ${COLUMNS} from erasures where id = ?`;
// The text is as JSON.stringify writes it. 7 finds 70 too: what is locked is looked at closely.
const FACES = `select id, candidates like ? as mentions from faces where id > ? order by id limit ${PAGE}`;
const LOCK = 'select id, person, distance, candidates, corrected from faces where id in (?) order by id for update';
const changeFaces = (rows: number) => {
  const byId = `case id ${Array(rows).fill('when ? then ?').join(' ')} end`;
  return `update faces set candidates = ${byId}, distance = ${byId} where id in (?)`;
};
const REST = `
  update erasures set swept_at = current_timestamp(3), lease_owner = null,
    lease_until = current_timestamp(3) + interval ? microsecond
  where id = ? and lease_owner = ?`;

type FaceRow = RowDataPacket & {
  id: number;
  person: number;
  distance: number | null;
  candidates: string | null;
  corrected: number;
};
type Cleared = { id: number; candidates: CandidatePerson[]; distance: number | null };

export function createErasureStore(
  database: Pick<Database, 'query' | 'transaction'>,
  { owner, restMs = REST_MS }: ErasureStoreOptions,
): ErasureStore {
  const work = createLeasedWork(database, { table: 'erasures', columns: COLUMNS, owner });

  const clearSome = (person: number, faces: readonly number[]) =>
    database.transaction(async (statements) => {
      const rows = await statements.query<FaceRow[]>(LOCK, [faces]);
      const changes = rows.flatMap((row) => without(person, row) ?? []);
      if (changes.length === 0) return 0;
      await statements.query(changeFaces(changes.length), [
        ...changes.flatMap(({ id, candidates }) => [id, JSON.stringify(candidates)]),
        ...changes.flatMap(({ id, distance }) => [id, distance]),
        changes.map(({ id }) => id),
      ]);
      return changes.length;
    });

  return {
    release: work.release,
    advance: work.advance,
    finish: work.finish,

    async get(id) {
      const [row] = await database.query<RowDataPacket[]>(GET, [id]);
      return row && toErasure(row);
    },

    async claim() {
      const row = await work.claim();
      return row && toErasure(row);
    },

    async page(person, after) {
      const rows = await database.query<RowDataPacket[]>(FACES, [`%"person":${person}%`, after]);
      const last = rows.at(-1);
      if (!last) return undefined;
      const mentions = rows.filter((row) => row.mentions === 1).map(({ id }) => id);
      return { lastFace: last.id, examined: rows.length, mentions };
    },

    async clear(person, faces) {
      let changed = 0;
      for (let at = 0; at < faces.length; at += MAX_CHANGES) {
        changed += await clearSome(person, faces.slice(at, at + MAX_CHANGES));
      }
      return changed;
    },

    async rest(id) {
      await database.query(REST, [restMs * 1_000, id, owner]);
    },
  };
}

/** The face as it is without the person, or undefined where the person is not near to it. */
function without(erased: number, { id, person, distance, candidates, corrected }: FaceRow): Cleared | undefined {
  const before: CandidatePerson[] = candidates === null ? [] : JSON.parse(candidates);
  const left = before.filter((candidate) => candidate.person !== erased);
  if (left.length === before.length) return undefined;
  // Of a face that is nobody's the distance is that to the nearest one.
  const isStranger = person === NOBODY && corrected === 0;
  return { id, candidates: left, distance: isStranger ? (left[0]?.distance ?? null) : distance };
}

function toErasure(row: RowDataPacket): Erasure {
  return {
    id: row.id,
    person: row.person,
    lastFace: row.last_face,
    examined: row.examined,
    changed: row.changed,
    isSwept: row.swept_at !== null,
  };
}
