import type { RowDataPacket, Statements } from './mysql.ts';

const LOCK = 'select id from person where id in (?) order by id lock in share mode';

/**
 * Which of these people are there. They stay until the end of the transaction: whoever erases one waits for it, and then finds
 * what it wrote. So whatever writes the ids of people into other rows asks here first, or an erased one comes back.
 */
export async function lockPeople(statements: Pick<Statements, 'query'>, people: Iterable<number>): Promise<ReadonlySet<number>> {
  const ids = [...new Set(people)].toSorted((a, b) => a - b);
  if (ids.length === 0) return new Set();
  const rows = await statements.query<RowDataPacket[]>(LOCK, [ids]);
  return new Set(rows.map(({ id }) => id));
}
