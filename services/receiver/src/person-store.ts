import { createHash } from 'node:crypto';
import type { Database, ResultSetHeader, RowDataPacket, Statements } from '@kube-face/shared-lib/mysql';

export type PersonName = { id: number; name: string };
export type KnownPhoto = { imageName: string; sha256: Buffer | undefined };

export type PersonStore = {
  find(name: string): Promise<PersonName | undefined>;
  get(id: number): Promise<PersonName | undefined>;
  /** False where the person is gone. */
  rename(id: number, name: string): Promise<boolean>;
  photosOf(person: number): Promise<KnownPhoto[]>;
  /** Image names that begin with `slug_`, whoever owns them. */
  namesLike(slug: string): Promise<string[]>;
  ownersOf(imageNames: readonly string[]): Promise<Map<string, PersonName>>;
  /** The person of that name, made where there is none, with the photos added, and a decision anew of earlier strangers ordered. */
  addPhotos(name: string, photos: readonly { imageName: string; sha256: Buffer }[]): Promise<PersonName & { isNew: boolean }>;
  /** Takes back what `addPhotos` did. */
  removePhotos(person: PersonName & { isNew: boolean }, imageNames: readonly string[]): Promise<void>;
  /** Runs `work` alone among all receivers for people whose photos are named by these slugs; so one name is one person. */
  locked<T>(slugs: readonly string[], work: () => Promise<T>): Promise<T>;
};

const FIND = 'select id, name from person where name = ? order by id limit 1';
const GET = 'select id, name from person where id = ?';
const RENAME = 'update person set name = ? where id = ?';
const PHOTOS = 'select image_name, content_sha256 from person_images where person_id = ? and image_name is not null order by id';
const NAMES_LIKE = "select image_name from person_images where image_name like ? escape '!'";
const OWNERS = `
  select pi.image_name, p.id, p.name from person_images pi join person p on p.id = pi.person_id
  where pi.image_name in (?) order by pi.id desc`;
const INSERT_PERSON = 'insert into person (name) values (?)';
const INSERT_PHOTOS = 'insert into person_images (image_name, person_id, content_sha256) values ?';
const ORDER_REDECISION = 'insert into redecisions (person) values (?)';
const DELETE_PHOTOS = 'delete from person_images where person_id = ? and image_name in (?)';
const DELETE_PERSON = 'delete from person where id = ?';
const CANCEL_REDECISIONS = 'delete from redecisions where person = ?';
const LOCK = 'select get_lock(?, ?) as got';
const UNLOCK = 'do release_lock(?)';

const LOCK_SECONDS = 30;
const LOCKED_MS = 120_000;

export function createPersonStore(database: Database): PersonStore {
  async function find(name: string, statements: Pick<Statements, 'query'> = database): Promise<PersonName | undefined> {
    const [row] = await statements.query<RowDataPacket[]>(FIND, [name]);
    return row && { id: row.id, name: row.name };
  }

  return {
    find: (name) => find(name),

    async get(id) {
      const [row] = await database.query<RowDataPacket[]>(GET, [id]);
      return row && { id: row.id, name: row.name };
    },

    async rename(id, name) {
      await database.query(RENAME, [name, id]);
      return (await database.query<RowDataPacket[]>(GET, [id])).length === 1;
    },

    async photosOf(person) {
      const rows = await database.query<RowDataPacket[]>(PHOTOS, [person]);
      return rows.map((row) => ({ imageName: row.image_name, sha256: row.content_sha256 ?? undefined }));
    },

    async namesLike(slug) {
      const rows = await database.query<RowDataPacket[]>(NAMES_LIKE, [`${slug.replaceAll('_', '!_')}!_%`]);
      return rows.map((row) => row.image_name);
    },

    async ownersOf(imageNames) {
      if (imageNames.length === 0) return new Map();
      const rows = await database.query<RowDataPacket[]>(OWNERS, [imageNames]);
      return new Map(rows.map((row) => [row.image_name, { id: row.id, name: row.name }]));
    },

    addPhotos: (name, photos) =>
      database.transaction(async (statements) => {
        const known = await find(name, statements);
        const id = known?.id ?? (await statements.query<ResultSetHeader>(INSERT_PERSON, [name])).insertId;
        await statements.query(INSERT_PHOTOS, [photos.map(({ imageName, sha256 }) => [imageName, id, sha256])]);
        await statements.query(ORDER_REDECISION, [id]);
        return { id, name, isNew: known === undefined };
      }),

    removePhotos: ({ id, isNew }, imageNames) =>
      database.transaction(async (statements) => {
        await statements.query(DELETE_PHOTOS, [id, imageNames]);
        if (!isNew) return;
        await statements.query(CANCEL_REDECISIONS, [id]);
        await statements.query(DELETE_PERSON, [id]);
      }),

    locked(slugs, work) {
      return database.withConnection(async (statements) => {
        const [self] = await statements.query<RowDataPacket[]>('select database() as name');
        const locks = [...new Set(slugs)].toSorted().map((slug) => lockName(self?.name, slug)); // in order: no deadlock
        try {
          for (const lock of locks) {
            const [row] = await statements.query<RowDataPacket[]>(LOCK, [lock, LOCK_SECONDS]);
            if (row?.got !== 1) throw new LockTimeoutError(`waited ${LOCK_SECONDS} s for another request with this name`);
          }
          return await work();
        } finally {
          for (const lock of locks) await statements.query(UNLOCK, [lock]).catch(() => {}); // freed with the connection anyway
        }
      }, LOCKED_MS);
    },
  };
}

/** Names of locks are the server's, not the database's, and at most 64 characters long. */
function lockName(database: string, slug: string): string {
  return `kube-face:people:${createHash('sha256').update(`${database}\0${slug}`).digest('hex').slice(0, 40)}`;
}

export class LockTimeoutError extends Error {
  override readonly name = 'LockTimeoutError';
}
