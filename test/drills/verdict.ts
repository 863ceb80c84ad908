import type { RowDataPacket } from '@kube-face/shared-lib/mysql';
import { expect } from 'vitest';
import type { Flow } from './flow.ts';
import { TIMES, type World } from './world.ts';

const DRAIN_MS = 120_000;

const UNFINISHED = 'select count(*) as photos from images where status in (0, 3) or (status = 2 and retry_at is not null)';
const ROWS = `
  select images.id, images.path, images.status, images.outcome, images.detail, images.attempts, images.face_count, images.finished_at,
    person.name as person,
    (select count(*) from faces where faces.image = images.id) as faces,
    (select count(*) from attempts where attempts.image = images.id) as tries,
    (select count(*) from attempts where attempts.image = images.id and attempts.outcome in ('match', 'unknown', 'no_face')) as results
  from images left join person on person.id = images.person where images.id in (?)`;

const SAVED = 'select id, path, status from images where path in (?)';

/** What a drill measured. `drainMs`: from the end of the fault until the last photo posted before was done. */
export type Verdict = {
  name: string;
  accepted: number;
  putOff: number;
  unanswered: number;
  drainMs: number;
  mostAttempts: number;
};

async function unfinished({ database }: World): Promise<number> {
  const [row] = await database.query<RowDataPacket[]>(UNFINISHED);
  return row?.photos;
}

/**
 * Every photo that was accepted is done, as it must be; its result stands there once; nothing is left behind, neither of
 * photos whose post was never answered; and what was put off was not saved.
 */
export async function judge(world: World, name: string, flow: Flow, faultEndedAt: number): Promise<Verdict> {
  expect(flow.accepted.length).toBeGreaterThan(0);
  expect(flow.faults).toEqual([]);
  await expect.poll(() => unfinished(world), { timeout: DRAIN_MS, interval: 100 }).toBe(0);

  const saved = await world.database.query<RowDataPacket[]>(SAVED, [[...flow.putOff, '']]);
  expect(saved).toEqual([]);
  const rows = await world.database.query<RowDataPacket[]>(ROWS, [flow.accepted.map(({ id }) => id)]);
  const byId = new Map(rows.map((row) => [row.id, row]));
  const found = flow.accepted.map(({ id, path }) => {
    const row = byId.get(id);
    return {
      id,
      path,
      outcome: row?.outcome,
      person: row?.person,
      status: row?.status,
      detail: row?.detail,
      results: row?.results,
    };
  });
  expect(found).toEqual(
    flow.accepted.map(({ id, path, outcome, person }) => ({ id, path, outcome, person, status: 1, detail: null, results: 1 })),
  );
  for (const { faces, face_count, attempts, tries } of rows) {
    expect(faces).toBe(face_count);
    expect(tries).toBe(attempts);
    expect(attempts).toBeLessThanOrEqual(Number(TIMES.MAX_ATTEMPTS));
  }

  const posted = flow.accepted.filter(({ acceptedAt }) => acceptedAt <= faultEndedAt);
  const doneAt = Math.max(faultEndedAt, ...posted.map(({ id }) => byId.get(id)?.finished_at.getTime()));
  return {
    name,
    accepted: flow.accepted.length,
    putOff: flow.putOff.length,
    unanswered: flow.unanswered,
    drainMs: doneAt - faultEndedAt,
    mostAttempts: Math.max(...rows.map(({ attempts }) => attempts)),
  };
}

export function report({ name, accepted, putOff, unanswered, drainMs, mostAttempts }: Verdict): string {
  const seconds = (drainMs / 1_000).toFixed(1);
  const posts = `${accepted} accepted, ${putOff} put off, ${unanswered} unanswered`;
  return `drill  ${name}: ${posts}; drained in ${seconds} s, at most ${mostAttempts} attempts\n`;
}
