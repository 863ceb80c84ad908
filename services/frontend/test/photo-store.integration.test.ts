import type { Database } from '@kube-face/shared-lib/mysql';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { freshTables } from '../../../test/harness/database.ts';
import { createPhotoStore, type PhotoStore } from '../src/photo-store.ts';
import { later, NOON } from './fakes.ts';

const BOX = '{"x":10.5,"y":20,"width":80,"height":90}';

let database: Database;
let photos: PhotoStore;

beforeAll(async () => {
  database = await freshTables();
  photos = createPhotoStore(database);
});

afterAll(() => database.close());

beforeEach(async () => {
  for (const table of ['images', 'faces', 'attempts', 'person', 'person_images']) await database.query(`delete from ${table}`);
  await database.query("insert into person (id, name) values (3, 'Hannibal'), (4, 'Murdock')");
  await database.query("insert into person_images (id, image_name, person_id) values (31, 'hannibal_2.jpg', 3)");
  await database.query(
    `insert into images (id, path, status, outcome, person, distance, face_count, attempts, model, created_at, started_at, finished_at)
     values (7, '/unknown_people/a.jpg', 1, 'match', 3, 0.41, 2, 2, 'dlib', ?, ?, ?)`,
    [NOON, later(1_000), later(1_240)],
  );
});

async function addFace(id: number, columns: { person?: number; candidates?: string | null; box?: string; corrected?: number }) {
  const { person = -1, candidates = null, box = BOX, corrected = 0 } = columns;
  await database.query(
    'insert into faces (id, image, position, box, score, person, distance, candidates, corrected) values (?, 7, ?, ?, 0.9, ?, 0.41, ?, ?)',
    [id, id, box, person, candidates, corrected],
  );
}

test('a photo comes with its faces, the people near them and its attempts', async () => {
  const near = [
    { person: 3, imageName: 'hannibal_2.jpg', distance: 0.41 },
    { person: 4, imageName: 'gone.jpg', distance: 0.7 },
    { person: 99, imageName: 'erased.jpg', distance: 0.8 },
  ];
  await addFace(1, { person: 3, candidates: JSON.stringify(near), corrected: 1 });
  await database.query(
    "insert into attempts (image, owner, started_at, finished_at, outcome, detail) values (7, 'p-1', ?, ?, 'timeout', 'late')",
    [NOON, later(500)],
  );
  expect(await photos.detail(7)).toEqual({
    photo: {
      id: 7,
      path: '/unknown_people/a.jpg',
      status: 'processed',
      outcome: 'match',
      detail: null,
      person: { id: 3, name: 'Hannibal' },
      distance: 0.41,
      faceCount: 2,
      attempts: 2,
      model: 'dlib',
      retryAt: null,
      queuedAt: null,
      createdAt: NOON,
      startedAt: later(1_000),
      finishedAt: later(1_240),
    },
    faces: [
      {
        id: 1,
        box: { x: 10.5, y: 20, width: 80, height: 90 },
        person: { id: 3, name: 'Hannibal' },
        imageName: null,
        distance: 0.41,
        candidates: [
          { person: { id: 3, name: 'Hannibal' }, imageName: 'hannibal_2.jpg', distance: 0.41, knownId: 31 },
          { person: { id: 4, name: 'Murdock' }, imageName: 'gone.jpg', distance: 0.7, knownId: null },
          { person: null, imageName: 'erased.jpg', distance: 0.8, knownId: null },
        ],
        isCorrected: true,
      },
    ],
    attempts: [{ owner: 'p-1', startedAt: NOON, finishedAt: later(500), outcome: 'timeout', detail: 'late' }],
  });
  expect(await photos.detail(8)).toBeUndefined();
});

test('a broken face does not break the page', async () => {
  await addFace(1, { candidates: 'not json' });
  await addFace(2, { candidates: '{"person":3}' });
  await addFace(3, { candidates: '[null, 5, {"person":"3"}]' });
  await addFace(4, { box: '{"x":1}' });
  expect((await photos.detail(7))?.faces.map(({ id, candidates }) => [id, candidates.length])).toEqual([
    [1, 0],
    [2, 0],
    [3, 0],
  ]);
});

test('a person who is erased meanwhile reads as nobody', async () => {
  await addFace(1, { person: 3 });
  await database.query('delete from person where id = 3');
  const detail = await photos.detail(7);
  expect([detail?.photo.person, detail?.faces[0]?.person]).toEqual([null, null]);
});

test('rows of the original system are read as what they mean', async () => {
  await database.query(
    "insert into images (id, path, person, status) values (8, 'old', 3, 1), (9, 'older', -1, 1), (10, 'bad', -1, 2)",
  );
  const outcomes = (await photos.byIds([8, 9, 10]))
    .toSorted((a, b) => a.id - b.id)
    .map(({ outcome, person }) => [outcome, person?.name]);
  expect(outcomes).toEqual([
    ['match', 'Hannibal'],
    ['unknown', undefined],
    ['internal', undefined],
  ]);
});

test('a face is found only on its own photo', async () => {
  await addFace(1, {});
  await database.query("insert into images (id, path) values (8, 'other')");
  expect(await photos.faceOf(7, 1)).toEqual({ path: '/unknown_people/a.jpg', box: { x: 10.5, y: 20, width: 80, height: 90 } });
  expect(await photos.faceOf(8, 1)).toBeUndefined();
  expect([await photos.pathOf(7), await photos.pathOf(9)]).toEqual(['/unknown_people/a.jpg', undefined]);
});

test('the newest and the just finished are found by index, whatever their age', async () => {
  await database.query("insert into images (id, path) values (20, 'new')");
  await database.query('update images set finished_at = now(3) where id = 7');
  expect((await photos.newest(1)).map(({ id }) => id)).toEqual([20]);
  expect((await photos.justFinished(5, 10)).map(({ id }) => id)).toEqual([7]);
  await database.query('update images set finished_at = now(3) - interval 10 second where id = 7');
  expect(await photos.justFinished(5, 10)).toEqual([]);
});
