import type { Database, ResultSetHeader } from '@kube-face/shared-lib/mysql';

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
