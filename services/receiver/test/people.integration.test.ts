import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ResultSetHeader, RowDataPacket } from '@kube-face/shared-lib/mysql';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type FakeFace, fakeDescriptor, fakePhoto } from './fake-gallery.ts';
import { photoForm, startWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

let seed = 0;
let looks = 0;
/** Nobody so far looks like this. */
const newLooks = () => (looks += 100);
const photo = (...faces: FakeFace[]) => fakePhoto(faces, ++seed);
const enrol = (name: string, ...photos: Buffer<ArrayBuffer>[]) => world.ask('POST', '/people', photoForm(photos, name));
const soon = { timeout: 10_000, interval: 50 };

beforeEach(async () => {
  for (const table of ['person', 'person_images', 'images', 'faces', 'redecisions'])
    await world.database.query(`delete from ${table}`);
});
afterEach(() => {
  world.gallery.misses.clear();
  world.gallery.failAt = undefined;
});

/** A processed photo with faces that look like this; nobody was recognised on them. */
async function processed(...lookses: number[]): Promise<{ id: number; faces: number[] }> {
  const { insertId: id } = await world.database.query<ResultSetHeader>(
    "insert into images (path, status, outcome, face_count, model) values (uuid(), 1, 'unknown', ?, 'fake')",
    [lookses.length],
  );
  const faces: number[] = [];
  for (const [position, look] of lookses.entries()) {
    const { insertId } = await world.database.query<ResultSetHeader>(
      'insert into faces (image, position, box, score, descriptor, model, candidates) values (?, ?, ?, 0.9, ?, ?, ?)',
      [id, position, '{"x":1,"y":2,"width":3,"height":4}', fakeDescriptor(look), 'fake', '[]'],
    );
    faces.push(insertId);
  }
  return { id, faces };
}

const personOf = async (image: number) => (await world.ask('GET', `/images/${image}`)).json.person;
const decided = (person: number) =>
  vi.waitFor(async () => expect((await world.ask('GET', `/people/${person}`)).json.redeciding).toBe(false), soon);

test('enrols a new person and is answered once the gallery has the photos', async () => {
  const bytes = photo({ looks: newLooks() });
  const { status, json, headers } = await enrol('Hannibal', bytes, photo({ looks }));
  expect(status).toBe(201);
  expect(json).toEqual({
    person: { id: expect.any(Number), name: 'Hannibal' },
    images: [
      { fileName: 'photo-0.jpg', status: 'enrolled', imageName: 'hannibal_1.jpg' },
      { fileName: 'photo-1.jpg', status: 'enrolled', imageName: 'hannibal_2.jpg' },
    ],
  });
  expect(headers.get('location')).toBe(`/people/${json.person.id}`);
  expect(await readFile(join(world.knownPeople, 'hannibal_1.jpg'))).toEqual(bytes);
  expect(world.gallery.loaded()).toEqual(expect.arrayContaining(['hannibal_1.jpg', 'hannibal_2.jpg']));
  const { json: detail } = await world.ask('GET', `/people/${json.person.id}`);
  expect(detail).toMatchObject({
    name: 'Hannibal',
    imageCount: 2,
    images: [{ imageName: 'hannibal_1.jpg' }, {}],
    changedPhotos: 0,
  });
  expect((await world.ask('GET', '/people')).json).toMatchObject({ people: [{ name: 'Hannibal', imageCount: 2 }], next: null });
});

test('adds photos to the person of that name, and knows those it has', async () => {
  const first = photo({ looks: newLooks() });
  const { json: created } = await enrol('Ada', first);
  const second = photo({ looks });
  const { status, json } = await enrol(' Ada ', first, second, second);
  expect(status).toBe(200);
  expect(json.person).toEqual(created.person);
  expect(json.images).toMatchObject([
    { status: 'already_enrolled', imageName: 'ada_1.jpg' },
    { status: 'enrolled', imageName: 'ada_2.jpg' },
    { status: 'already_enrolled', imageName: 'ada_2.jpg' },
  ]);
  expect((await world.ask('GET', '/people')).json.people).toHaveLength(1);
});

test('refuses each photo without exactly one usable face, and takes the others: 207', async () => {
  const look = newLooks();
  const { status, json } = await enrol(
    'Bo',
    photo({ looks: look }),
    photo(),
    photo({ looks: look }, { looks: look, width: 60 }),
    photo({ looks: look, width: 20 }),
    photo({ looks: look, sharpness: 0.1 }),
    fakePhoto('broken', ++seed),
    Buffer.from('no photo'),
    photo({ looks: look }, { looks: look, width: 40 }),
  );
  expect(status).toBe(207);
  expect(json.images.map((image) => image.error?.code ?? image.status)).toEqual([
    'enrolled',
    'no_face',
    'several_faces',
    'face_too_small',
    'face_too_blurred',
    'unreadable_image',
    'unreadable_image',
    'enrolled',
  ]);
});

test('makes nobody where no photo is usable: 422', async () => {
  const before = await readdir(world.knownPeople);
  const { status, json } = await enrol('Nobody', photo(), Buffer.from('no photo'));
  expect(status).toBe(422);
  expect(json.error.message).toBe('no photo of Nobody can be used: there is no face on the photo, and 1 more');
  expect(json.images).toMatchObject([{ error: { code: 'no_face' } }, { error: { code: 'unreadable_image' } }]);
  expect((await world.ask('GET', '/people')).json.people).toEqual([]);
  expect(await readdir(world.knownPeople)).toEqual(before);
});

test.each([
  ['no name', undefined, 'name'],
  ['an empty name', '  ', 'name'],
  ['a name with a line break', 'a\nb', 'name'],
  ['a name of 256 bytes', 'é'.repeat(128), 'name'],
])('refuses %s with 400', async (_, name, word) => {
  const { status, json } = await world.ask('POST', '/people', photoForm([photo({ looks: newLooks() })], name));
  expect(status).toBe(400);
  expect(json.error.message).toContain(word);
});

test('refuses a request without a photo', async () => {
  expect((await world.ask('POST', '/people', photoForm([], 'Ada'))).status).toBe(400);
});

test('says whom the face resembles, and enrols it nevertheless', async () => {
  const { json: first } = await enrol('Twin A', photo({ looks: newLooks() }));
  const { status, json } = await enrol('Twin B', photo({ looks: looks + 0.25 }));
  expect(status).toBe(201);
  expect(json.images[0]).toMatchObject({
    status: 'enrolled',
    near: { person: first.person, imageName: 'twin_a_1.jpg', distance: 0.25 },
  });
});

test('one name at once is one person, and no photo takes the place of another', async () => {
  const look = newLooks();
  const answers = await Promise.all(Array.from({ length: 8 }, () => enrol('Crowd', photo({ looks: look }))));
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 200, 200, 200, 200, 200, 201]);
  expect(new Set(answers.map(({ json }) => json.person.id)).size).toBe(1);
  expect(new Set(answers.map(({ json }) => json.images[0]?.imageName)).size).toBe(8);
});

test.each(['photo', 'added'] as const)('keeps nothing where face recognition dies at the step %s: 503', async (step) => {
  const before = await readdir(world.knownPeople);
  world.gallery.failAt = step;
  const { status, headers } = await enrol('Lost', photo({ looks: newLooks() }));
  expect(status).toBe(503);
  expect(headers.get('retry-after')).toBe('2');
  expect((await world.ask('GET', '/people')).json.people).toEqual([]);
  expect(await world.database.query<RowDataPacket[]>('select * from person_images')).toEqual([]);
  expect(await world.database.query<RowDataPacket[]>('select * from redecisions')).toEqual([]);
  expect(await readdir(world.knownPeople)).toEqual(before);
  await world.restartGallery();
});

test('takes back a photo that the gallery does not find', async () => {
  world.gallery.misses.add('ghost_1.jpg');
  const { status, json } = await enrol('Ghost', photo({ looks: newLooks() }), photo({ looks }));
  expect(status).toBe(207);
  expect(json.images).toMatchObject([{ error: { code: 'not_loaded' } }, { status: 'enrolled', imageName: 'ghost_2.jpg' }]);
  expect(await readdir(world.knownPeople)).not.toContain('ghost_1.jpg');
});

test('a photo whose file is gone is enrolled again', async () => {
  const bytes = photo({ looks: newLooks() });
  const { json: created } = await enrol('Phoenix', bytes);
  await world.removeKnown('phoenix_1.jpg');
  const { status, json } = await enrol('Phoenix', bytes);
  expect(status).toBe(200);
  expect(json.images[0]).toMatchObject({ status: 'enrolled' });
  expect(json.person).toEqual(created.person);
});

test('renames a person, unless somebody has the name', async () => {
  const { json: ada } = await enrol('Ada', photo({ looks: newLooks() }));
  await enrol('Bo', photo({ looks: newLooks() }));
  const path = `/people/${ada.person.id}`;
  expect(await world.ask('PATCH', path, { name: 'Ada Lovelace' })).toMatchObject({ status: 200, json: { name: 'Ada Lovelace' } });
  expect((await world.ask('PATCH', path, { name: 'Bo' })).status).toBe(409);
  expect((await world.ask('PATCH', path, { name: '' })).status).toBe(400);
  expect((await world.ask('PATCH', '/people/999999', { name: 'X' })).status).toBe(404);
});

test('the strangers of the past are decided anew, and what a hand has set stays', async () => {
  const look = newLooks();
  const [stranger, crowd, other, corrected] = [
    await processed(look + 0.125),
    await processed(7, look),
    await processed(8),
    await processed(look),
  ];
  await world.ask('POST', `/images/${corrected.id}/faces/${corrected.faces[0]}/person`, { person: null });
  const { json } = await enrol('Late', photo({ looks: look }));
  await decided(json.person.id);
  expect((await world.ask('GET', `/people/${json.person.id}`)).json.changedPhotos).toBe(2);
  expect(await personOf(stranger.id)).toEqual(json.person);
  expect(await personOf(crowd.id)).toEqual(json.person);
  expect(await personOf(other.id)).toBeNull();
  expect(await personOf(corrected.id)).toBeNull();
  const { json: seen } = await world.ask('GET', `/images/${stranger.id}`);
  expect(seen).toMatchObject({
    outcome: 'match',
    faces: [
      {
        person: json.person,
        imageName: 'late_1.jpg',
        distance: 0.125,
        candidates: [{ person: json.person, imageName: 'late_1.jpg' }],
      },
    ],
  });
});

test('whoever was recognised before stays, where the new photos are not near', async () => {
  const { json: ada } = await enrol('Ada', photo({ looks: newLooks() }));
  await decided(ada.person.id);
  const { id } = await processed(looks + 0.25);
  const values = [ada.person.id, 'ada_1.jpg'];
  await world.database.query('update faces set person = ?, image_name = ?, distance = 0.25', values);
  await world.database.query("update images set person = ?, outcome = 'match'", [ada.person.id]);
  const { json: bo } = await enrol('Bo', photo({ looks: newLooks() }));
  await decided(bo.person.id);
  expect(await world.ask('GET', `/images/${id}`)).toMatchObject({
    json: { person: ada.person, faces: [{ person: ada.person, imageName: 'ada_1.jpg', distance: 0.25 }] },
  });
});

test('decides anew once face recognition is back', async () => {
  const look = newLooks();
  const stranger = await processed(look);
  world.gallery.failAt = 'decide';
  const { json } = await enrol('Patient', photo({ looks: look }));
  await vi.waitFor(async () => {
    const [row] = await world.database.query<RowDataPacket[]>('select lease_owner from redecisions where finished_at is null');
    expect(row).toEqual({ lease_owner: null }); // tried, and put back
  }, soon);
  expect(await personOf(stranger.id)).toBeNull();
  world.gallery.failAt = undefined;
  await decided(json.person.id);
  expect(await personOf(stranger.id)).toEqual(json.person);
});

test('tells what another threshold would change, and changes it when told', async () => {
  const look = newLooks();
  const { json: enrolled } = await enrol('Far', photo({ looks: look }));
  await decided(enrolled.person.id);
  const stranger = await processed(look + 0.75);
  const dry = await world.ask('POST', '/redecisions', { threshold: 0.8, dryRun: true });
  expect(dry).toMatchObject({ status: 200, json: { id: null, examined: 1, changed: 1, finished: true } });
  expect(await personOf(stranger.id)).toBeNull();
  const { status, json } = await world.ask('POST', '/redecisions', { threshold: 0.8 });
  expect(status).toBe(202);
  await vi.waitFor(async () => {
    expect((await world.ask('GET', `/redecisions/${json.id}`)).json).toMatchObject({ finished: true, examined: 1, changed: 1 });
  }, soon);
  expect(await personOf(stranger.id)).toEqual(enrolled.person);
});

test('corrects a face by hand: the photo gets the person', async () => {
  const { json: ada } = await enrol('Ada', photo({ looks: newLooks() }));
  const image = await processed(5, 6);
  const path = `/images/${image.id}/faces/${image.faces[1]}/person`;
  const { status, json } = await world.ask('POST', path, { person: ada.person.id });
  expect(status).toBe(200);
  expect(json).toMatchObject({
    outcome: 'match',
    person: ada.person,
    faces: [
      { person: null, corrected: false },
      { person: ada.person, corrected: true, imageName: null },
    ],
  });
  expect((await world.ask('POST', path, { person: null })).json).toMatchObject({ outcome: 'unknown', person: null });
  expect((await world.ask('POST', path, {})).status).toBe(400);
  expect((await world.ask('POST', path, { person: 999_999 })).status).toBe(404);
  expect((await world.ask('POST', `/images/999999/faces/${image.faces[0]}/person`, { person: null })).status).toBe(404);
  expect((await world.ask('POST', `/images/${image.id}/faces/999999/person`, { person: null })).status).toBe(404);
});

test('erases a person with photos, rows and mentions; a photo gets its next best face', async () => {
  const look = newLooks();
  const { json: gone } = await enrol('Gone', photo({ looks: look }), photo({ looks: look }));
  const { json: stays } = await enrol('Stays', photo({ looks: newLooks() }));
  const [alone, together] = [await processed(1), await processed(2, 3)];
  for (const [image, face, person] of [
    [alone.id, alone.faces[0], gone.person.id],
    [together.id, together.faces[0], gone.person.id],
    [together.id, together.faces[1], stays.person.id],
  ]) {
    await world.ask('POST', `/images/${image}/faces/${face}/person`, { person });
  }
  expect(await personOf(together.id)).toEqual(gone.person);

  const { status, json } = await world.ask('DELETE', `/people/${gone.person.id}`);
  expect(status).toBe(200);
  expect(json).toEqual({ person: gone.person, photos: 2, images: 2 });
  expect((await world.ask('GET', `/people/${gone.person.id}`)).status).toBe(404);
  expect((await world.ask('DELETE', `/people/${gone.person.id}`)).status).toBe(404);
  expect((await readdir(world.knownPeople)).filter((name) => name.startsWith('gone_'))).toEqual([]);
  expect(world.gallery.loaded().filter((name) => name.startsWith('gone_'))).toEqual([]);
  expect(await world.ask('GET', `/images/${alone.id}`)).toMatchObject({
    json: { outcome: 'unknown', person: null, faces: [{ person: null }] },
  });
  expect(await personOf(together.id)).toEqual(stays.person);
  const left = await world.database.query<RowDataPacket[]>(
    'select (select count(*) from person_images where person_id = ?) + (select count(*) from images where person = ?) + (select count(*) from faces where person = ?) as n',
    [gone.person.id, gone.person.id, gone.person.id],
  );
  expect(left).toEqual([{ n: 0 }]);
});
