import { ImageStatus, type Outcome, outcomeOf, type StatusWord, statusWord } from '@kube-face/shared-lib/image-status';
import type { RowDataPacket } from '@kube-face/shared-lib/mysql';

export type Person = Readonly<{ id: number; name: string }>;

/** A row of `images` as a page shows it. */
export type Photo = Readonly<{
  id: number;
  path: string;
  status: StatusWord;
  outcome: Outcome | null;
  detail: string | null;
  person: Person | null;
  distance: number | null;
  faceCount: number | null;
  attempts: number;
  model: string | null;
  /** End of the back-off of a photo that will be tried again. */
  retryAt: Date | null;
  queuedAt: Date | null;
  createdAt: Date | null;
  startedAt: Date | null;
  /** When it last became processed or failed; a photo that was put back since keeps it. */
  finishedAt: Date | null;
}>;

/** The columns that `toPhoto` reads, of `images i` and `person p`. */
export const PHOTO_COLUMNS = `
  i.id, i.path, i.status, i.outcome, i.detail, i.person, p.name, i.distance, i.face_count, i.attempts, i.model,
  i.retry_at, i.queued_at, i.created_at, i.started_at, i.finished_at`;

export type PhotoRow = RowDataPacket & {
  id: number;
  path: string;
  status: number;
  outcome: string | null;
  detail: string | null;
  person: number | null;
  name: string | null;
  distance: number | null;
  face_count: number | null;
  attempts: number;
  model: string | null;
  retry_at: Date | null;
  queued_at: Date | null;
  created_at: Date | null;
  started_at: Date | null;
  finished_at: Date | null;
};

export function toPhoto(row: PhotoRow): Photo {
  // A person that is gone while rows still point at it reads as nobody; the original's page dies of it.
  const person = row.person !== null && row.person > 0 && row.name !== null ? { id: row.person, name: row.name } : null;
  return {
    id: row.id,
    path: row.path,
    status: statusWord(row.status),
    outcome: outcomeOf({ status: row.status, outcome: row.outcome, person: person?.id ?? null }),
    detail: row.detail,
    person: row.status === ImageStatus.Processed ? person : null,
    distance: row.distance,
    faceCount: row.face_count,
    attempts: row.attempts,
    model: row.model,
    retryAt: row.retry_at,
    queuedAt: row.queued_at,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}
