import { type Failure, ImageStatus } from '@kube-face/shared-lib/image-status';
import { lockPeople } from '@kube-face/shared-lib/lock-people';
import type { Database, ResultSetHeader, RowDataPacket, Statements } from '@kube-face/shared-lib/mysql';
import { clip } from './clip.ts';
import { forgetPeople, peopleIn } from './forget-people.ts';
import { type Kept, keepCorrected } from './keep-corrected.ts';
import type { FaceResult, Reading } from './read-answer.ts';

/** A photo that this process holds until its lease ends. */
export type Photo = { id: number; path: string; attempts: number; traceParent: string | undefined };

/** What a try to claim found. `held`: by another, or backing off; worth asking again in `waitMs`. `settled`: final, or erased. */
export type Claim = { kind: 'won'; photo: Photo } | { kind: 'held'; waitMs: number } | { kind: 'settled' };

/** What becomes of a claimed photo. `retryMs`: when it may be claimed again; undefined: not by itself. */
export type Result = { id: number } & (
  | { kind: 'processed'; reading: Reading }
  | { kind: 'failed'; outcome: Failure; detail: string; retryMs: number | undefined }
  | { kind: 'put back'; detail: string | undefined }
);

export type ImageStore = {
  /** One claim an id, in order. */
  claim(ids: readonly number[]): Promise<Claim[]>;
  /** Makes the leases of these photos run anew. */
  renew(ids: readonly number[]): Promise<void>;
  /** Writes all of it or nothing, except for photos whose lease is no longer ours: false for these, in order. */
  write(results: readonly Result[]): Promise<boolean[]>;
  /** Who owns these known photos, by file name. */
  ownersOf(imageNames: readonly string[]): Promise<Map<string, { id: number; name: string }>>;
};

/** How long a processing row without a lease, which is the original's processor's, counts as leased after its last change. */
export const UNLEASED_MINUTES = 5;

// A failed row is claimed again once its back-off has ended; the redeemer may not have come by yet.
const CLAIM = `
  update images set status = ${ImageStatus.Processing}, lease_owner = ?, lease_until = current_timestamp(3) + interval ? microsecond,
    started_at = current_timestamp(3), outcome = null, detail = null, retry_at = null, finished_at = null
  where id in (?) and (status = ${ImageStatus.Pending}
    or (status = ${ImageStatus.Processing} and lease_until < current_timestamp(3))
    or (status = ${ImageStatus.Processing} and lease_until is null
        and updated_at < current_timestamp(3) - interval ${UNLEASED_MINUTES} minute)
    or (status = ${ImageStatus.Failed} and retry_at <= current_timestamp(3)))`;

const READ_BACK = `
  select id, path, attempts, status, trace_parent, coalesce(lease_owner = ? and lease_until >= current_timestamp(3), false) as ours,
    greatest(0, timestampdiff(microsecond, current_timestamp(3), case
      when status = ${ImageStatus.Processing} then coalesce(lease_until, updated_at + interval ${UNLEASED_MINUTES} minute)
      when status = ${ImageStatus.Failed} then retry_at
    end)) as wait_us
  from images where id in (?)`;

const RENEW = `
  update images set lease_until = current_timestamp(3) + interval ? microsecond
  where id in (?) and status = ${ImageStatus.Processing} and lease_owner = ?`;

// Parameters: id, owner. Whoever lost the lease has nothing to write any more.
const HELD = `id = ? and status = ${ImageStatus.Processing} and lease_owner = ? and lease_until >= current_timestamp(3)`;

const PROCESSED = `
  update images set status = ${ImageStatus.Processed}, outcome = ?, detail = ?, person = ?, distance = ?, face_count = ?, model = ?,
    gallery_version = ?, attempts = attempts + 1, finished_at = current_timestamp(3), lease_owner = null, lease_until = null
  where ${HELD}`;

const FAILED = `
  update images set status = ${ImageStatus.Failed}, outcome = ?, detail = ?, person = -1, distance = null, face_count = null,
    attempts = attempts + 1, retry_at = current_timestamp(3) + interval ? microsecond, finished_at = current_timestamp(3),
    lease_owner = null, lease_until = null
  where ${HELD}`;

// Even when the lease has ended: as long as nobody else has claimed the photo, giving it up is right. Its message is in the
// queue, which a receiver that was slow to write that down must not leave open.
const PUT_BACK = `
  update images set status = ${ImageStatus.Pending}, detail = ?, lease_owner = null, lease_until = null,
    queued_at = coalesce(queued_at, current_timestamp(3))
  where id = ? and status = ${ImageStatus.Processing} and lease_owner = ?`;

const CORRECTED = 'select image, position, box, person from faces where image in (?) and corrected = 1';
const FORGET_FACES = 'delete from faces where image in (?) and corrected = 0';
const INSERT_FACES = `
  insert into faces (image, position, box, score, person, image_name, distance, candidates, descriptor, model) values ?`;

const INSERT_ATTEMPTS = `
  insert into attempts (image, owner, started_at, outcome, detail)
  select id, ?, coalesce(started_at, current_timestamp(3)), outcome, detail from images where id in (?)`;

const OWNERS = `
  select person_images.image_name, person.id, person.name from person_images
  join person on person.id = person_images.person_id
  where person_images.image_name in (?) order by person_images.id desc`;

type Processed = { id: number } & Kept;

async function keepCorrections(statements: Statements, results: readonly Result[]): Promise<Map<number, Processed>> {
  const processed = results.filter((result) => result.kind === 'processed');
  if (processed.length === 0) return new Map();
  const people = await lockPeople(
    statements,
    processed.flatMap(({ reading }) => peopleIn(reading)),
  );
  const rows = await statements.query<RowDataPacket[]>(CORRECTED, [processed.map(({ id }) => id)]);
  return new Map(
    processed.map(({ id, reading }) => {
      const corrected = rows.filter(({ image }) => image === id);
      const kept = corrected.map(({ position, box, person }) => ({ position, box: JSON.parse(box), person }));
      const living = forgetPeople(reading, (person) => people.has(person));
      return [id, { id, ...keepCorrected(living, kept) }];
    }),
  );
}

async function replaceFaces(statements: Statements, processed: readonly Processed[]): Promise<void> {
  await statements.query(FORGET_FACES, [processed.map(({ id }) => id)]);
  const rows = processed.flatMap(({ id, faces, reading }) =>
    faces.map(({ position, face }) => rowOf(id, position, face, reading.model)),
  );
  if (rows.length > 0) await statements.query(INSERT_FACES, [rows]);
}

function rowOf(id: number, position: number, face: FaceResult, model: string | undefined) {
  return [
    id,
    position,
    JSON.stringify(face.box),
    face.score,
    face.person,
    face.imageName === undefined ? null : clip(face.imageName),
    face.distance ?? null,
    JSON.stringify(face.candidates),
    face.descriptor.length > 0 ? face.descriptor : null,
    model === undefined ? null : clip(model, 64),
  ];
}

type Statement = [sql: string, values: (string | number | null)[]];

function statementOf(result: Result, kept: Processed | undefined, owner: string): Statement {
  if (result.kind === 'processed')
    return processedStatement(kept ?? { id: result.id, ...keepCorrected(result.reading, []) }, owner);
  if (result.kind === 'put back') return [PUT_BACK, [result.detail ?? null, result.id, owner]];
  const retryUs = result.retryMs === undefined ? null : result.retryMs * 1_000;
  return [FAILED, [result.outcome, clip(result.detail), retryUs, result.id, owner]];
}

function processedStatement({ id, reading, faceCount }: Processed, owner: string): Statement {
  const { outcome, detail, person, distance, model, galleryVersion } = reading;
  const values = [
    outcome,
    detail === undefined ? null : clip(detail),
    person,
    distance ?? null,
    faceCount ?? null,
    model === undefined ? null : clip(model, 64),
    galleryVersion ?? null,
  ];
  return [PROCESSED, [...values, id, owner]];
}

/** Images as this process reads and writes them. `owner` is unlike that of any other process, of this one's predecessor too. */
export function createImageStore(database: Database, { owner, leaseMs }: { owner: string; leaseMs: number }): ImageStore {
  return {
    async claim(ids) {
      await database.query(CLAIM, [owner, leaseMs * 1_000, ids]);
      const rows = await database.query<RowDataPacket[]>(READ_BACK, [owner, ids]);
      const byId = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => claimOf(byId.get(id)));
    },

    async renew(ids) {
      if (ids.length > 0) await database.query(RENEW, [leaseMs * 1_000, ids, owner]);
    },

    write(results) {
      return database.transaction(async (statements) => {
        const processed = await keepCorrections(statements, results);
        const written: boolean[] = [];
        for (const result of results) {
          const statement = statementOf(result, processed.get(result.id), owner);
          const { affectedRows } = await statements.execute<ResultSetHeader>(...statement);
          written.push(affectedRows === 1);
        }
        const done = results.filter((_, index) => written[index]);
        const recognised = done.flatMap(({ id }) => processed.get(id) ?? []);
        const attempts = done.filter(({ kind }) => kind !== 'put back').map(({ id }) => id);
        if (recognised.length > 0) await replaceFaces(statements, recognised);
        if (attempts.length > 0) await statements.query(INSERT_ATTEMPTS, [owner, attempts]);
        return written;
      });
    },

    async ownersOf(imageNames) {
      if (imageNames.length === 0) return new Map();
      const rows = await database.query<RowDataPacket[]>(OWNERS, [imageNames]);
      // Descending, so that of two owners the one who had the photo first stays.
      return new Map(rows.map(({ image_name, id, name }) => [image_name, { id, name }]));
    },
  };
}

function claimOf(row: RowDataPacket | undefined): Claim {
  if (!row) return { kind: 'settled' };
  if (row.status === ImageStatus.Processing && row.ours) {
    return {
      kind: 'won',
      photo: { id: row.id, path: row.path, attempts: row.attempts, traceParent: row.trace_parent ?? undefined },
    };
  }
  if (row.status === ImageStatus.Pending) return { kind: 'held', waitMs: 0 }; // put back by another a moment ago
  if (row.wait_us === null) return { kind: 'settled' };
  return { kind: 'held', waitMs: Math.ceil(Number(row.wait_us) / 1_000) };
}
