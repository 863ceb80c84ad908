import { NOBODY, outcomeOf, statusWord } from '@kube-face/shared-lib/image-status';
import type { RowDataPacket, Statements } from '@kube-face/shared-lib/mysql';
import type { z } from 'zod';
import { findPage, type PhotoFilter } from './image-pages.ts';
import { IMAGE_COLUMNS, type ImageRow } from './image-row.ts';
import type { Attempt, Face, Photo, PhotoWithHistory } from './image-schemas.ts';

type PhotoJson = z.output<typeof Photo>;
type FaceJson = z.output<typeof Face>;
type PersonJson = { id: number; name: string };

export type ImageReader = {
  /** The photo with its faces and attempts, or undefined where there is none. */
  get(id: number): Promise<z.output<typeof PhotoWithHistory> | undefined>;
  /** One page, newest first. */
  page(filter: PhotoFilter): Promise<PhotoJson[]>;
};

const WAITING_FOR_RECOGNITION = 'waiting for recognition';

const PHOTO = `select ${IMAGE_COLUMNS} from images where id = ?`;
const FACES = `
  select id, image, box, score, person, image_name, distance, candidates, corrected
  from faces where image in (?) order by image, position`;
const PEOPLE = 'select id, name from person where id in (?)';
const ATTEMPTS = 'select started_at, finished_at, outcome, detail from attempts where image = ? order by id';

type FaceRow = RowDataPacket & {
  id: number;
  image: number;
  box: string;
  score: number;
  person: number;
  image_name: string | null;
  distance: number | null;
  candidates: string | null;
  corrected: number;
};
type StoredCandidate = { person: number; imageName: string; distance: number };

export type ReaderDependencies = {
  database: Pick<Statements, 'execute' | 'query'>;
  /** Whether face recognition takes photos right now. */
  isRecognitionReady: () => Promise<boolean>;
};

export function createImageReader({ database, isRecognitionReady }: ReaderDependencies): ImageReader {
  /** Says what an unfinished photo waits for, unless its row says so already. */
  async function withWait(photos: PhotoJson[]): Promise<PhotoJson[]> {
    const isWaiting = (photo: PhotoJson) => photo.outcome === null && photo.detail === null;
    if (!photos.some(isWaiting) || (await isRecognitionReady())) return photos;
    return photos.map((photo) => (isWaiting(photo) ? { ...photo, detail: WAITING_FOR_RECOGNITION } : photo));
  }

  return {
    async page(filter) {
      return withWait(await toPhotos(database, await findPage(database, filter)));
    },

    async get(id) {
      const rows = await database.execute<ImageRow[]>(PHOTO, [id]);
      const [photo] = await withWait(await toPhotos(database, rows));
      if (!photo) return undefined;
      const attempts = await database.execute<RowDataPacket[]>(ATTEMPTS, [id]);
      return { ...photo, history: attempts.map(toAttempt) };
    },
  };
}

function toAttempt(row: RowDataPacket): z.output<typeof Attempt> {
  return {
    startedAt: row.started_at.toISOString(),
    finishedAt: row.finished_at.toISOString(),
    outcome: row.outcome,
    detail: row.detail,
  };
}

/** Rows as the API shows them, with their faces and the names of everybody on them. */
async function toPhotos(database: Pick<Statements, 'query'>, rows: readonly ImageRow[]): Promise<PhotoJson[]> {
  if (rows.length === 0) return [];
  const faces = await database.query<FaceRow[]>(FACES, [rows.map(({ id }) => id)]);
  const candidates = new Map(faces.map((face) => [face.id, candidatesOf(face)]));
  const ids = new Set([
    ...rows.map(({ person }) => person ?? NOBODY),
    ...faces.map(({ person }) => person),
    ...[...candidates.values()].flat().map(({ person }) => person),
  ]);
  ids.delete(NOBODY);
  const people = new Map<number, PersonJson>();
  if (ids.size > 0) {
    for (const { id, name } of await database.query<RowDataPacket[]>(PEOPLE, [[...ids]])) people.set(id, { id, name });
  }
  const facesOf = Map.groupBy(faces, ({ image }) => image);
  return rows.map((row) => ({
    id: row.id,
    path: row.path,
    status: statusWord(row.status),
    outcome: outcomeOf(row),
    detail: row.detail,
    person: people.get(row.person ?? NOBODY) ?? null,
    faces: (facesOf.get(row.id) ?? []).map((face) => toFace(face, candidates.get(face.id) ?? [], people)),
    attempts: row.attempts,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
  }));
}

function candidatesOf({ candidates }: FaceRow): StoredCandidate[] {
  return candidates === null ? [] : JSON.parse(candidates);
}

function toFace(face: FaceRow, candidates: readonly StoredCandidate[], people: ReadonlyMap<number, PersonJson>): FaceJson {
  const { x, y, width, height } = JSON.parse(face.box);
  return {
    id: face.id,
    box: { x, y, width, height },
    score: face.score,
    person: people.get(face.person) ?? null,
    imageName: face.image_name,
    distance: face.distance,
    candidates: candidates.flatMap(({ person, imageName, distance }) => {
      const known = people.get(person);
      return known ? [{ person: known, imageName, distance }] : []; // erased since
    }),
    corrected: face.corrected === 1,
  };
}
