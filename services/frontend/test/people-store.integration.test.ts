import type { Database } from '@kube-face/shared-lib/mysql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freshTables } from '../../../test/harness/database.ts';
import { createPeopleStore, MAX_COUNTED, PEOPLE_PAGE_SIZE, type PeopleStore } from '../src/people-store.ts';

let database: Database;
let people: PeopleStore;

beforeAll(async () => {
  database = await freshTables();
  people = createPeopleStore(database);
  // Several people share a name, and one name begins with another.
  const rows = Array.from({ length: 60 }, (_, index) => [index + 1, `Person ${String(Math.floor(index / 3)).padStart(2, '0')}`]);
  await database.query('insert into person (id, name) values ?', [rows]);
  await database.query("insert into person (id, name) values (100, 'Anna 100%'), (101, 'anna 1000')");
  await database.query('insert into person_images (person_id, image_name) values ?', [
    Array.from({ length: 8 }, (_, index) => [100, `anna_${index}.jpg`]),
  ]);
  await database.query(
    "insert into images (id, path, status, outcome, person) values (1, 'a', 1, 'match', 100), (2, 'b', 1, 'match', 1)",
  );
  const box = '{"x":1,"y":1,"width":9,"height":9}';
  await database.query('insert into faces (image, position, box, score, person) values ?', [
    [
      [1, 0, box, 0.9, 100],
      [2, 0, box, 0.9, 1],
      [2, 1, box, 0.9, 100],
    ],
  ]);
});

afterAll(() => database.close());

test('everybody is on exactly one page, by name', async () => {
  const seen: number[] = [];
  let after: { id: number; name: string } | undefined;
  do {
    const page = await people.list({ after });
    expect(page.people.length).toBeLessThanOrEqual(PEOPLE_PAGE_SIZE);
    seen.push(...page.people.map(({ person }) => person.id));
    after = page.next;
  } while (after);
  expect(seen).toEqual([100, ...Array.from({ length: 60 }, (_, index) => index + 1), 101]);
});

test('a card counts known photos and every photo that the person is on, once', async () => {
  expect(await people.card(100)).toEqual({
    person: { id: 100, name: 'Anna 100%' },
    knownIds: [1, 2, 3, 4, 5, 6],
    knownCount: 8,
    appearances: 2,
  });
  expect(await people.card(999)).toBeUndefined();
});

test('a part of a name finds people in any case, and its signs are only signs', async () => {
  expect((await people.list({ search: 'ANNA' })).people.map(({ person }) => person.id)).toEqual([100, 101]);
  expect((await people.list({ search: '100%' })).people.map(({ person }) => person.id)).toEqual([100]);
  expect((await people.list({ search: '_nna' })).people).toEqual([]);
});

test('counting stops where a card would say “1,000+”', async () => {
  const rows = Array.from({ length: MAX_COUNTED + 50 }, (_, index) => [`many-${index}`, 1, 'match', 7]);
  await database.query('insert into images (path, status, outcome, person) values ?', [rows]);
  expect((await people.card(7))?.appearances).toBe(MAX_COUNTED + 1);
});

test('people to choose from come by name, and a known photo by its number', async () => {
  expect((await people.choices(2)).map(({ id }) => id)).toEqual([100, 1]);
  expect(await people.knownName(3)).toBe('anna_2.jpg');
  expect(await people.knownName(4711)).toBeUndefined();
});
