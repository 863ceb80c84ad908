import {
  ImageStatus,
  NOBODY,
  type Outcome,
  PROCESSED_OUTCOMES,
  type StatusWord,
  statusOf,
} from '@kube-face/shared-lib/image-status';
import type { Statements } from '@kube-face/shared-lib/mysql';
import { IMAGE_COLUMNS, type ImageRow } from './image-row.ts';

export type PhotoFilter = {
  status?: StatusWord | undefined;
  outcome?: Outcome | undefined;
  person?: number | undefined;
  /** Only photos before this id; 0: from the newest on. */
  after?: number | undefined;
  limit: number;
};

type Condition = { sql: string; values: (number | string)[] };

/**
 * Conditions of which a row meets one at most. Each is a range of one index in the order of ids, so a page costs the same
 * however many photos there are.
 */
function conditionsOf({ status, outcome, person }: PhotoFilter): Condition[] {
  const others: Condition[] = [];
  if (status !== undefined) others.push({ sql: 'status = ?', values: [statusOf(status)] });
  if (person !== undefined) others.push({ sql: 'person = ?', values: [person] });
  if (outcome === undefined) return [all(others)];

  const isProcessed = PROCESSED_OUTCOMES.some((word) => word === outcome);
  const shown: Condition = {
    sql: 'outcome = ? and status = ?',
    values: [outcome, isProcessed ? ImageStatus.Processed : ImageStatus.Failed],
  };
  // The original's processor writes no outcome; its rows read by status and person.
  const unwritten = ofOriginal(outcome);
  return [all([shown, ...others]), ...(unwritten ? [all([unwritten, ...others])] : [])];
}

function ofOriginal(outcome: Outcome): Condition | undefined {
  if (outcome === 'match') return { sql: `outcome is null and status = ${ImageStatus.Processed} and person > 0`, values: [] };
  if (outcome === 'unknown') {
    return { sql: `outcome is null and status = ${ImageStatus.Processed} and person <= 0 and person >= ${NOBODY}`, values: [] };
  }
  if (outcome === 'internal') return { sql: `outcome is null and status = ${ImageStatus.Failed}`, values: [] };
  return undefined;
}

function all(conditions: readonly Condition[]): Condition {
  return {
    sql: conditions.map(({ sql }) => `(${sql})`).join(' and ') || 'true',
    values: conditions.flatMap(({ values }) => values),
  };
}

/** One page, newest first. */
export async function findPage(database: Pick<Statements, 'query'>, filter: PhotoFilter): Promise<ImageRow[]> {
  const before: Condition[] = filter.after ? [{ sql: 'id < ?', values: [filter.after] }] : [];
  const pages = await Promise.all(
    conditionsOf(filter).map((condition) => {
      const { sql, values } = all([condition, ...before]);
      const page = `select ${IMAGE_COLUMNS} from images where ${sql} order by id desc limit ?`;
      return database.query<ImageRow[]>(page, [...values, filter.limit]);
    }),
  );
  return pages
    .flat()
    .toSorted((a, b) => b.id - a.id)
    .slice(0, filter.limit);
}
