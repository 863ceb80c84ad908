import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Database, ResultSetHeader } from '@kube-face/shared-lib/mysql';
import sharp from 'sharp';
import type { System } from '../harness/system.ts';

const NOON = new Date('2026-03-14T12:00:00.000Z'); // nine in the evening in Tokyo
export const HOSTILE = '<img src=x onerror="document.title=1">.jpg';

export type SeededPhoto = {
  path: string;
  person?: number;
  status?: number;
  outcome?: string;
  distance?: number;
  face_count?: number;
  attempts?: number;
  created_at?: Date;
  started_at?: Date;
  finished_at?: Date;
};

/** Writes a row as the other services would, and tells its id. */
export async function addPhoto(database: Database, photo: SeededPhoto): Promise<number> {
  const names = Object.keys(photo);
  const sql = `insert into images (${names.join(', ')}) values (${names.map(() => '?').join(', ')})`;
  return (await database.query<ResultSetHeader>(sql, Object.values(photo))).insertId;
}

/** `count` processed photos, one second apart, the last one `start`. Their paths fall while their ids rise. */
export async function addManyPhotos(database: Database, count: number, start: Date): Promise<void> {
  const rows = Array.from({ length: count }, (_, index) => {
    const finished = new Date(start.getTime() + (index - count) * 1_000);
    return [`many-${String(count - index).padStart(6, '0')}.jpg`, 1, 'unknown', 2, 1, finished, finished];
  });
  const sql = 'insert into images (path, status, outcome, face_count, attempts, started_at, finished_at) values ?';
  await database.query(sql, [rows]);
}

/**
 * 122 photos: 120 of strangers, one that failed under a path like HTML, and last `matched`, with a face, two candidates and an
 * attempt that failed. `grey` is the picture that lies in their files, for photos that are added later.
 */
export async function seedTable({ database, knownPeople, unknownPeople }: System): Promise<{ matched: number; grey: Buffer }> {
  await addManyPhotos(database, 120, NOON);
  await database.query("insert into person (id, name) values (1, 'Hannibal'), (2, 'Murdock')");
  await database.query("insert into person_images (id, image_name, person_id) values (1, 'hannibal.jpg', 1), (2, 'gone.jpg', 2)");
  const grey = await sharp({ create: { width: 400, height: 300, channels: 3, background: '#8090a0' } })
    .jpeg()
    .toBuffer();
  writeFileSync(join(knownPeople, 'hannibal.jpg'), grey);
  writeFileSync(join(knownPeople, 'gone.jpg'), grey);
  for (let number = 1; number <= 120; number += 1)
    writeFileSync(join(unknownPeople, `many-${String(number).padStart(6, '0')}.jpg`), grey);
  writeFileSync(join(unknownPeople, 'team.jpg'), grey);

  await addPhoto(database, { path: HOSTILE, status: 2, outcome: 'missing_file', attempts: 1, finished_at: NOON });
  const matched = await addPhoto(database, {
    path: 'team.jpg',
    person: 1,
    status: 1,
    outcome: 'match',
    distance: 0.41,
    face_count: 1,
    attempts: 1,
    created_at: NOON,
    started_at: NOON,
    finished_at: new Date(NOON.getTime() + 400),
  });
  const candidates = [
    { person: 1, imageName: 'hannibal.jpg', distance: 0.41 },
    { person: 2, imageName: 'gone.jpg', distance: 0.77 },
  ];
  await database.query(
    `insert into faces (image, position, box, score, person, image_name, distance, candidates)
     values (?, 0, '{"x":120,"y":60,"width":90,"height":110}', 0.99, 1, 'hannibal.jpg', 0.41, ?)`,
    [matched, JSON.stringify(candidates)],
  );
  await database.query(
    "insert into attempts (image, owner, started_at, outcome, detail) values (?, 'processor-1', ?, 'timeout', 'no answer in 10 s')",
    [matched, NOON],
  );
  return { matched, grey };
}
