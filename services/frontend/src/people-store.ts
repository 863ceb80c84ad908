import type { Database, RowDataPacket } from '@kube-face/shared-lib/mysql';
import type { Person } from './photo.ts';

export const PEOPLE_PAGE_SIZE = 24;

/** Counts on a card stop here: they cost the same for whoever is on a million photos. */
export const MAX_COUNTED = 1_000;

const SHOWN_PHOTOS = 6;
const MAX_SEARCHED = 20_000;

/** Before or after whom a page begins, in the order of names. */
export type PersonPlace = Readonly<Person>;

export type PersonCard = Readonly<{
  person: Person;
  /** `person_images.id` of the first known photos. */
  knownIds: readonly number[];
  /** At most MAX_COUNTED + 1, which means more than MAX_COUNTED. */
  knownCount: number;
  appearances: number;
}>;

export type PeopleList = Readonly<{ people: readonly PersonCard[]; next?: PersonPlace }>;
export type PeopleStore = ReturnType<typeof createPeopleStore>;

const CHOICES = 'select id, name from person order by name, id limit ?';
const ONE = 'select id, name from person where id = ?';
const PAGE = `
  select id, name from person
  where name >= ? and (name > ? or id > ?)
  order by name, id limit ?`;
const FOUND = `
  select id, name from (select id, name from person where name >= ? and (name > ? or id > ?) order by name, id limit ?) looked
  where name collate utf8mb4_general_ci like ? escape '!'
  order by name, id limit ?`;
const SHOWN = '(select id, person_id from person_images where person_id = ? order by id limit ?)';
const COUNTED = `
  (select ? as person,
    (select count(*) from (select 1 from person_images where person_id = ? limit ?) known) as known_count,
    (select count(*) from (
      (select image as id from faces force index (faces_person) where person = ? order by image desc limit ?)
      union
      (select id from images force index (images_person) where person = ? order by id desc limit ?)
    ) seen) as appearances)`;
const KNOWN_NAME = 'select image_name from person_images where id = ?';

type PersonRow = RowDataPacket & Person;
type CountRow = RowDataPacket & { person: number; known_count: number; appearances: number };

const toPerson = ({ id, name }: PersonRow): Person => ({ id, name });

/** What pages read about people. */
export function createPeopleStore(db: Database) {
  async function cards(people: readonly Person[]): Promise<PersonCard[]> {
    if (people.length === 0) return [];
    const shown = await db.query<(RowDataPacket & { id: number; person_id: number })[]>(
      people.map(() => SHOWN).join(' union all '),
      people.flatMap(({ id }) => [id, SHOWN_PHOTOS]),
    );
    const limit = MAX_COUNTED + 1;
    const counts = await db.query<CountRow[]>(
      people.map(() => COUNTED).join(' union all '),
      people.flatMap(({ id }) => [id, id, limit, id, limit, id, limit]),
    );
    return people.map((person) => {
      const count = counts.find((row) => row.person === person.id);
      return {
        person,
        knownIds: shown.filter((row) => row.person_id === person.id).map(({ id }) => id),
        knownCount: count?.known_count ?? 0,
        appearances: Math.min(limit, count?.appearances ?? 0),
      };
    });
  }

  return {
    /** People to choose from, by name. */
    async choices(limit: number): Promise<Person[]> {
      return (await db.query<PersonRow[]>(CHOICES, [limit])).map(toPerson);
    },

    async find(id: number): Promise<Person | undefined> {
      const [row] = await db.query<PersonRow[]>(ONE, [id]);
      return row && toPerson(row);
    },

    async card(id: number): Promise<PersonCard | undefined> {
      const person = await this.find(id);
      return person && (await cards([person]))[0];
    },

    /** One page of people by name; with `search`, those of the next 20,000 whose name contains it. */
    async list({ search, after }: { search?: string; after?: PersonPlace }): Promise<PeopleList> {
      const from = [after?.name ?? '', after?.name ?? '', after?.id ?? 0];
      const size = PEOPLE_PAGE_SIZE + 1;
      const rows = search
        ? await db.query<PersonRow[]>(FOUND, [...from, MAX_SEARCHED, `%${search.replace(/[!%_]/g, '!$&')}%`, size])
        : await db.query<PersonRow[]>(PAGE, [...from, size]);
      const shown = rows.slice(0, PEOPLE_PAGE_SIZE).map(toPerson);
      return { people: await cards(shown), next: rows.length > PEOPLE_PAGE_SIZE ? shown.at(-1) : undefined };
    },

    /** The file name of a known photo, in the folder of known people. */
    async knownName(id: number): Promise<string | undefined> {
      const [row] = await db.query<(RowDataPacket & { image_name: string | null })[]>(KNOWN_NAME, [id]);
      return row?.image_name ?? undefined;
    },
  };
}
