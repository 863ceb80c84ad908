import { slugOf } from './known-photos.ts';
import type { PersonName, PersonStore } from './person-store.ts';

export type Renaming = { kind: 'renamed'; person: PersonName } | { kind: 'no_such_person' } | { kind: 'taken'; by: PersonName };

/** Gives a person another name, unless somebody else has it. The photos keep their file names. */
export function createRenamePerson(people: Pick<PersonStore, 'get' | 'find' | 'rename' | 'locked'>) {
  return async function renamePerson(id: number, name: string): Promise<Renaming> {
    const person = await people.get(id);
    if (!person) return { kind: 'no_such_person' };
    return people.locked([slugOf(person.name), slugOf(name)], async () => {
      const other = await people.find(name);
      if (other && other.id !== id) return { kind: 'taken', by: other };
      return (await people.rename(id, name)) ? { kind: 'renamed', person: { id, name } } : { kind: 'no_such_person' };
    });
  };
}

export type RenamePerson = ReturnType<typeof createRenamePerson>;
