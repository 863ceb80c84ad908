import { NOBODY } from '@kube-face/shared-lib/image-status';
import type { Logger } from '@kube-face/shared-lib/logger';
import type { Database, RowDataPacket } from '@kube-face/shared-lib/mysql';
import { recomputePersons } from './best-face.ts';
import type { GalleryClient } from './gallery-client.ts';
import { type KnownPhotos, slugOf } from './known-photos.ts';
import type { PersonName, PersonStore } from './person-store.ts';

export type ErasePersonDependencies = {
  database: Pick<Database, 'query' | 'transaction'>;
  people: Pick<PersonStore, 'get' | 'photosOf' | 'locked'>;
  knownPhotos: Pick<KnownPhotos, 'remove'>;
  gallery: Pick<GalleryClient, 'converse'>;
  log: Logger;
};

const BATCH = 1_000;
const TELL_MS = 10_000;
// A photo that was being recognised meanwhile may get the person's id written after it was erased; by then nobody has it.
const AFTERMATH_MS = 15_000;

const IMAGES_BY_FACE = `select distinct image as id from faces where person = ? limit ${BATCH}`;
const IMAGES_BY_PERSON = `select id from images where person = ? limit ${BATCH}`;
const FREE_FACES = `
  update faces set person = ${NOBODY}, image_name = null, corrected = 0 where image in (?) and person = ?`;
const FREE_IMAGES = `update images set person = ${NOBODY} where id in (?) and person = ?`;
const DELETE = [
  'delete from person_images where person_id = ?',
  'delete from redecisions where person = ?',
  'delete from person where id = ?',
] as const;

/**
 * Erases a person: the known photos with their cached descriptors, and every mention; photos that it was recognised on get the
 * person of their next best face, or nobody. The files go first and the person last, so an erasing that was cut short can be
 * asked for again.
 */
export function createErasePerson({ database, people, knownPhotos, gallery, log }: ErasePersonDependencies) {
  async function inBatches(find: string, id: number): Promise<number> {
    for (let changed = 0; ; ) {
      const count = await database.transaction(async (statements) => {
        const images = (await statements.query<RowDataPacket[]>(find, [id])).map((row) => row.id as number);
        if (images.length === 0) return 0;
        await statements.query(FREE_FACES, [images, id]);
        await recomputePersons(statements, images);
        await statements.query(FREE_IMAGES, [images, id]); // whatever their status
        return images.length;
      });
      if (count === 0) return changed;
      changed += count;
    }
  }

  const free = async (id: number) => (await inBatches(IMAGES_BY_FACE, id)) + (await inBatches(IMAGES_BY_PERSON, id));

  /** Lets the gallery forget at once; without an answer every process sees within 5 s that the files are gone. */
  async function tellGallery(imageNames: string[]): Promise<void> {
    const conversation = gallery.converse(TELL_MS);
    try {
      await conversation.remove(imageNames);
    } catch (error) {
      log.warn({ error }, 'face recognition was not told; it sees for itself that the photos are gone');
    } finally {
      conversation.end();
    }
  }

  async function erase(person: PersonName): Promise<{ photos: number; images: number }> {
    const names = (await people.photosOf(person.id)).map(({ imageName }) => imageName);
    await knownPhotos.remove(names);
    if (names.length > 0) await tellGallery(names);
    const images = await free(person.id);
    await database.transaction(async (statements) => {
      for (const statement of DELETE) await statements.query(statement, [person.id]);
    });
    setTimeout(() => {
      free(person.id).catch((error) => log.warn({ error, person: person.id }, 'could not look for late mentions'));
    }, AFTERMATH_MS).unref();
    return { photos: names.length, images };
  }

  /** What was erased, or undefined where there is no such person. */
  return async function erasePerson(id: number): Promise<(PersonName & { photos: number; images: number }) | undefined> {
    const person = await people.get(id);
    if (!person) return undefined;
    return people.locked([slugOf(person.name)], async () => ({ ...person, ...(await erase(person)) }));
  };
}

export type ErasePerson = ReturnType<typeof createErasePerson>;
