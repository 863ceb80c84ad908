import type { Logger } from '@kube-face/shared-lib/logger';
import type { Database, ResultSetHeader } from '@kube-face/shared-lib/mysql';
import type { FreePhotos } from './free-photos.ts';
import type { GalleryClient } from './gallery-client.ts';
import { type KnownPhotos, slugOf } from './known-photos.ts';
import type { PersonName, PersonStore } from './person-store.ts';

/** What was erased at once, and the work that was ordered for the rest (see forget-person). */
export type ErasedPerson = PersonName & { photos: number; images: number; erasure: number };

export type ErasePersonDependencies = {
  database: Pick<Database, 'transaction'>;
  people: Pick<PersonStore, 'get' | 'photosOf' | 'locked'>;
  knownPhotos: Pick<KnownPhotos, 'remove'>;
  gallery: Pick<GalleryClient, 'converse'>;
  freePhotos: FreePhotos;
  log: Logger;
};

const TELL_MS = 10_000;

const DELETE = [
  'delete from person_images where person_id = ?',
  'delete from redecisions where person = ?',
  'delete from person where id = ?',
] as const;
const ORDER = 'insert into erasures (person) values (?)';

/**
 * Erases a person: the known photos with their cached descriptors, the rows, and the person of every photo that it was
 * recognised on. The files go first and the person last, so an erasing that was cut short can be asked for again; with the person
 * goes out the order to clear what only a look at every face finds.
 */
export function createErasePerson({ database, people, knownPhotos, gallery, freePhotos, log }: ErasePersonDependencies) {
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

  async function erase(person: PersonName): Promise<ErasedPerson> {
    const names = (await people.photosOf(person.id)).map(({ imageName }) => imageName);
    await knownPhotos.remove(names);
    if (names.length > 0) await tellGallery(names);
    const images = await freePhotos(person.id);
    const erasure = await database.transaction(async (statements) => {
      for (const statement of DELETE) await statements.query(statement, [person.id]);
      return (await statements.query<ResultSetHeader>(ORDER, [person.id])).insertId;
    });
    return { ...person, photos: names.length, images, erasure };
  }

  /** What was erased, or undefined where there is no such person. */
  return async function erasePerson(id: number): Promise<ErasedPerson | undefined> {
    const person = await people.get(id);
    if (!person) return undefined;
    return people.locked([slugOf(person.name)], async () => ((await people.get(id)) ? erase(person) : undefined));
  };
}

export type ErasePerson = ReturnType<typeof createErasePerson>;
