import type { RowDataPacket, Statements } from '@kube-face/shared-lib/mysql';
import { type Person, PHOTO_COLUMNS, type Photo, type PhotoRow, toPhoto } from './photo.ts';
import type { Box } from './pictures.ts';

/** A known photo near a face, with its owner. `knownId` is `person_images.id`, null where the photo is gone since. */
export type Candidate = Readonly<{ person: Person | null; imageName: string; distance: number; knownId: number | null }>;

export type Face = Readonly<{
  id: number;
  box: Box;
  person: Person | null;
  imageName: string | null;
  distance: number | null;
  /** The nearest people, nearest first, each with their nearest photo; at most three. */
  candidates: readonly Candidate[];
  /** A hand set the person. */
  isCorrected: boolean;
}>;

export type Attempt = Readonly<{ owner: string; startedAt: Date; finishedAt: Date; outcome: string; detail: string | null }>;

export type PhotoDetail = Readonly<{ photo: Photo; faces: readonly Face[]; attempts: readonly Attempt[] }>;

const PHOTO = `select ${PHOTO_COLUMNS} from images i left join person p on p.id = i.person where i.id = ?`;
const FACES = `
  select f.id, f.box, f.person, p.name, f.image_name, f.distance, f.candidates, f.corrected
  from faces f left join person p on p.id = f.person where f.image = ? order by f.position limit 100`;
const ATTEMPTS = `
  select owner, started_at, finished_at, outcome, detail from attempts where image = ? order by id desc limit 50`;
const KNOWN = `
  select k.id, k.image_name, p.id as person, p.name
  from person_images k left join person p on p.id = k.person_id where k.image_name in (?)`;
const PEOPLE = 'select id, name from person where id in (?)';

type FaceRow = RowDataPacket & {
  id: number;
  box: string;
  person: number;
  name: string | null;
  image_name: string | null;
  distance: number | null;
  candidates: string | null;
  corrected: number;
};
type AttemptRow = RowDataPacket & {
  owner: string;
  started_at: Date;
  finished_at: Date;
  outcome: string;
  detail: string | null;
};
type KnownRow = RowDataPacket & { id: number; image_name: string; person: number | null; name: string | null };

/** As another service writes them into `faces.candidates`. */
type StoredCandidate = { person: number; imageName: string; distance: number };

function isStoredCandidate(value: unknown): value is StoredCandidate {
  if (typeof value !== 'object' || value === null) return false;
  const { person, imageName, distance } = value as Record<string, unknown>;
  return typeof person === 'number' && typeof imageName === 'string' && typeof distance === 'number';
}

/** The value of a JSON column, or undefined where it is none: one broken row is no reason for a broken page. */
function parseJson(text: string | null): unknown {
  try {
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function parseBox(text: string | null): Box | undefined {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null) return undefined;
  const { x, y, width, height } = value as Record<string, unknown>;
  const numbers = [x, y, width, height];
  if (!numbers.every((number) => typeof number === 'number' && Number.isFinite(number))) return undefined;
  return { x, y, width, height } as Box;
}

function storedCandidates(row: FaceRow): StoredCandidate[] {
  const value = parseJson(row.candidates);
  return Array.isArray(value) ? value.filter(isStoredCandidate).slice(0, 3) : [];
}

/** Everything that a photo's page shows, or undefined where there is no such photo. */
export async function findPhotoDetail(db: Statements, id: number): Promise<PhotoDetail | undefined> {
  const [row] = await db.query<PhotoRow[]>(PHOTO, [id]);
  if (!row) return undefined;
  const faceRows = await db.query<FaceRow[]>(FACES, [id]);
  const attempts = await db.query<AttemptRow[]>(ATTEMPTS, [id]);

  const stored = new Map(faceRows.map((face) => [face.id, storedCandidates(face)]));
  const near = [...stored.values()].flat();
  const known = new Map<string, KnownRow>();
  const people = new Map<number, Person>();
  if (near.length > 0) {
    const names = [...new Set(near.map(({ imageName }) => imageName))];
    for (const photo of await db.query<KnownRow[]>(KNOWN, [names])) known.set(photo.image_name, photo);
    const ids = [...new Set(near.map(({ person }) => person))];
    for (const { id: person, name } of await db.query<(RowDataPacket & Person)[]>(PEOPLE, [ids])) {
      people.set(person, { id: person, name });
    }
  }

  return {
    photo: toPhoto(row),
    faces: faceRows.flatMap((face) => {
      const box = parseBox(face.box);
      if (!box) return [];
      return {
        id: face.id,
        box,
        person: face.person > 0 && face.name !== null ? { id: face.person, name: face.name } : null,
        imageName: face.image_name,
        distance: face.distance,
        candidates: (stored.get(face.id) ?? []).map(({ person, imageName, distance }) => ({
          person: people.get(person) ?? null,
          imageName,
          distance,
          knownId: known.get(imageName)?.id ?? null,
        })),
        isCorrected: face.corrected === 1,
      };
    }),
    attempts: attempts.map((attempt) => ({
      owner: attempt.owner,
      startedAt: attempt.started_at,
      finishedAt: attempt.finished_at,
      outcome: attempt.outcome,
      detail: attempt.detail,
    })),
  };
}
