import type { Database, ResultSetHeader, RowDataPacket, Statements } from '@kube-face/shared-lib/mysql';

/** Another process has the work now. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}

/** How far a piece of work is that goes through the faces by id. `lastFace`, `examined` and `changed` add up in its row. */
export type Step = { lastFace: number; examined: number; changed: number };

export type LeasedWork = {
  /** The oldest work that nobody does, taken for a while; undefined where there is none. */
  claim(): Promise<RowDataPacket | undefined>;
  /** Gives claimed work back. */
  release(id: number): Promise<void>;
  /** Writes down how far the work is, and holds it for longer. Throws LeaseLostError where another process has it. */
  advance(id: number, step: Step, statements?: Pick<Statements, 'query'>): Promise<void>;
  finish(id: number): Promise<void>;
};

const LEASE_SECONDS = 60;

export type LeasedWorkOptions = {
  /** Where each piece of work is a row. */
  table: 'redecisions' | 'erasures';
  columns: string;
  /** Unlike that of any other process. */
  owner: string;
};

/** Work that any receiver may do, one at a time, and that another goes on with where one dies. */
export function createLeasedWork(database: Pick<Database, 'query'>, { table, columns, owner }: LeasedWorkOptions): LeasedWork {
  const LEASE = `current_timestamp(3) + interval ${LEASE_SECONDS} second`;
  const CLAIM = `
    update ${table} set lease_owner = ?, lease_until = ${LEASE}
    where finished_at is null and (lease_until is null or lease_until < current_timestamp(3) or lease_owner = ?)
    order by id limit 1`;
  const CLAIMED = `select ${columns} from ${table} where lease_owner = ? and finished_at is null order by id limit 1`;
  const RELEASE = `update ${table} set lease_until = null, lease_owner = null where id = ? and lease_owner = ?`;
  const ADVANCE = `
    update ${table} set last_face = ?, examined = examined + ?, changed = changed + ?, lease_until = ${LEASE}
    where id = ? and lease_owner = ? and finished_at is null`;
  const FINISH = `update ${table} set finished_at = current_timestamp(3) where id = ? and lease_owner = ?`;

  return {
    async claim() {
      const { affectedRows } = await database.query<ResultSetHeader>(CLAIM, [owner, owner]);
      if (affectedRows === 0) return undefined;
      const [row] = await database.query<RowDataPacket[]>(CLAIMED, [owner]);
      return row;
    },

    async release(id) {
      await database.query(RELEASE, [id, owner]);
    },

    async advance(id, { lastFace, examined, changed }, statements = database) {
      const { affectedRows } = await statements.query<ResultSetHeader>(ADVANCE, [lastFace, examined, changed, id, owner]);
      if (affectedRows !== 1) throw new LeaseLostError();
    },

    async finish(id) {
      await database.query(FINISH, [id, owner]);
    },
  };
}
