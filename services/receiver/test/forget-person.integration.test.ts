import { readdir } from 'node:fs/promises';
import { silent } from '@kube-face/shared-lib/logger';
import type { ResultSetHeader, RowDataPacket } from '@kube-face/shared-lib/mysql';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { createErasureStore } from '../src/erasure-store.ts';
import { createForgetPerson } from '../src/forget-person.ts';
import { createFreePhotos } from '../src/free-photos.ts';
import { createIdempotency } from '../src/idempotency.ts';
import { createPersonStore } from '../src/person-store.ts';
import { createRedecide } from '../src/redecide.ts';
import { createRedecisionStore } from '../src/redecision-store.ts';
import { fakeDescriptor, fakePhoto } from './fake-gallery.ts';
import { photoForm, startWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const TABLES = ['person', 'person_images', 'images', 'faces', 'redecisions', 'erasures', 'idempotency_keys'];
beforeEach(async () => {
  for (const table of TABLES) await world.database.query(`delete from ${table}`);
});

type Candidate = { person: number; imageName: string; distance: number };
type FaceColumns = { candidates: Candidate[]; person?: number; distance?: number; corrected?: number };

let seed = 0;
async function enrol(name: string, headers: Record<string, string> = {}): Promise<{ id: number; imageName: string }> {
  seed += 1;
  const form = photoForm([fakePhoto([{ looks: seed * 100 }], seed)], name);
  const { json } = await world.ask('POST', '/people', form, headers);
  return { id: json.person.id, imageName: json.images[0]?.imageName ?? '' };
}

/** A stored face on a photo of its own. */
async function storeFace({ candidates, person = -1, distance, corrected = 0 }: FaceColumns): Promise<number> {
  const { insertId: image } = await world.database.query<ResultSetHeader>(
    "insert into images (path, status, outcome, person, face_count) values (uuid(), 1, if(? > 0, 'match', 'unknown'), ?, 1)",
    [person, person],
  );
  const { insertId } = await world.database.query<ResultSetHeader>(
    `insert into faces (image, position, box, score, person, distance, candidates, corrected, descriptor, model)
     values (?, 0, '{"x":1,"y":2,"width":3,"height":4}', 0.9, ?, ?, ?, ?, ?, 'other')`,
    [image, person, distance ?? candidates[0]?.distance ?? null, JSON.stringify(candidates), corrected, fakeDescriptor(1)],
  );
  return insertId;
}

const rowOf = async (face: number) => {
  const [row] = await world.database.query<RowDataPacket[]>('select person, distance, candidates from faces where id = ?', [
    face,
  ]);
  return { person: row?.person, distance: row?.distance, candidates: JSON.parse(row?.candidates) };
};

/** Everything that the database holds, in one text. */
async function everything(): Promise<string> {
  const rows = await world.database.query<RowDataPacket[]>(
    'select table_name as name from information_schema.tables where table_schema = database()',
  );
  const tables = await Promise.all(rows.map(({ name }) => world.database.query<RowDataPacket[]>(`select * from ${name}`)));
  return JSON.stringify(tables);
}

const forgetNow = (restMs = 0) => {
  const { database } = world;
  return createForgetPerson({
    store: createErasureStore(database, { owner: 'the test', restMs }),
    freePhotos: createFreePhotos(database),
    idempotency: createIdempotency({ database, log: silent }),
    log: silent,
  });
};
const DESCRIPTION = { threshold: 0.5, galleryVersion: 1, gallerySize: 2, workers: 1, queueLimit: 1, engine: 'fake' };
const going = new AbortController().signal;

test('whoever was erased is in no row any more: not among the candidates of others, not in remembered answers', async () => {
  const gone = await enrol('Hannibal Smith', { 'idempotency-key': 'enrol-hannibal' });
  const stays = await enrol('Murdock');
  const near = (who: typeof gone, distance: number): Candidate => ({ person: who.id, imageName: who.imageName, distance });
  const stranger = await storeFace({ candidates: [near(gone, 0.6), near(stays, 0.7)] });
  const alone = await storeFace({ candidates: [near(gone, 0.6)] });
  const others = await storeFace({ candidates: [near(stays, 0.4), near(gone, 0.6)], person: stays.id });
  const corrected = await storeFace({ candidates: [near(gone, 0.3), near(stays, 0.6)], corrected: 1, distance: 0.31 });
  const untouched = await storeFace({ candidates: [{ ...near(stays, 0.9), person: Number(`${gone.id}0`) }] });
  expect(await everything()).toContain('hannibal_smith_1.jpg');

  const { status, json, headers } = await world.ask('DELETE', `/people/${gone.id}`);

  expect(status).toBe(200);
  expect(json).toEqual({ person: { id: gone.id, name: 'Hannibal Smith' }, photos: 1, images: 0 });
  expect(await everything()).not.toMatch(/hannibal/i);
  expect(await rowOf(stranger)).toEqual({ person: -1, distance: 0.7, candidates: [near(stays, 0.7)] });
  expect(await rowOf(alone)).toEqual({ person: -1, distance: null, candidates: [] });
  expect(await rowOf(others)).toEqual({ person: stays.id, distance: 0.4, candidates: [near(stays, 0.4)] });
  expect(await rowOf(corrected)).toEqual({ person: -1, distance: 0.31, candidates: [near(stays, 0.6)] });
  expect((await rowOf(untouched)).candidates).toHaveLength(1);
  expect((await readdir(world.knownPeople)).filter((name) => name.startsWith('hannibal'))).toEqual([]);

  const erasure = await world.ask('GET', headers.get('location') ?? '');
  expect(erasure).toMatchObject({ status: 200, json: { person: gone.id, examined: 5, changed: 4, finished: true } });
});

test('202 where the look at every face takes longer; no answer names the person meanwhile', async () => {
  const gone = await enrol('Slow');
  const face = await storeFace({ candidates: [{ person: gone.id, imageName: gone.imageName, distance: 0.6 }] });
  const { location } = await world.database.transaction(async (statements) => {
    await statements.query('select id from faces where id = ? for update', [face]); // somebody else is at it
    const { status, headers } = await world.ask('DELETE', `/people/${gone.id}`);
    expect(status).toBe(202);
    expect((await world.ask('GET', `/people/${gone.id}`)).status).toBe(404);
    expect((await world.ask('GET', '/images')).text).not.toContain(gone.imageName);
    expect(await world.ask('GET', headers.get('location') ?? '')).toMatchObject({ json: { changed: 0, finished: false } });
    return { location: headers.get('location') ?? '' };
  });

  await vi.waitFor(async () => expect(await world.ask('GET', location)).toMatchObject({ json: { finished: true } }), {
    timeout: 20_000,
    interval: 50,
  });
  expect((await rowOf(face)).candidates).toEqual([]);
});

test('a request whose answer named somebody is not done again once they are erased', async () => {
  const key = { 'idempotency-key': 'enrol-once' };
  const form = photoForm([fakePhoto([{ looks: 1 }], 1_000)], 'Face');
  const { json } = await world.ask('POST', '/people', form, key);
  await world.ask('DELETE', `/people/${json.person.id}`);

  const again = await world.ask('POST', '/people', form, key);
  expect(again).toMatchObject({ status: 410, json: { error: { code: 'erased' } } });
  expect((await world.ask('GET', '/people')).json.people).toEqual([]);
});

test('an erasing whose process died goes on where it stopped', async () => {
  const candidates = [{ person: 7, imageName: 'hannibal_1.jpg', distance: 0.6 }];
  const done = await storeFace({ candidates });
  const left = await storeFace({ candidates });
  const { insertId } = await world.database.query<ResultSetHeader>(
    `insert into erasures (person, last_face, examined, changed, lease_owner, lease_until)
     values (7, ?, 1, 1, 'one that died', current_timestamp(3) - interval 1 second)`,
    [done],
  );

  await vi.waitFor(
    async () => expect(await world.ask('GET', `/erasures/${insertId}`)).toMatchObject({ json: { finished: true } }),
    { timeout: 15_000, interval: 50 },
  );
  expect(await world.ask('GET', `/erasures/${insertId}`)).toMatchObject({ json: { examined: 2, changed: 2 } });
  expect((await rowOf(left)).candidates).toEqual([]);
  expect((await rowOf(done)).candidates).toEqual(candidates); // before where it stopped: it is not looked at again
});

test('two receivers do not do the same work, and what one has lost it stops doing', async () => {
  const face = await storeFace({ candidates: [{ person: 7, imageName: 'hannibal_1.jpg', distance: 0.6 }] });
  const { insertId } = await world.database.query<ResultSetHeader>(
    `insert into erasures (person, lease_owner, lease_until)
     values (7, 'another', current_timestamp(3) + interval 1 hour)`,
  );
  expect(await forgetNow().next(going)).toBe(false);
  expect((await rowOf(face)).candidates).toHaveLength(1);

  const store = createErasureStore(world.database, { owner: 'the test' });
  await expect(store.advance(insertId, { lastFace: face, examined: 1, changed: 1 })).rejects.toThrow(
    expect.objectContaining({ name: 'LeaseLostError' }),
  );
});

test('what the original writes late is looked for once more', async () => {
  await world.database.query(
    "insert into erasures (person, lease_owner, lease_until) values (7, 'the test', now() + interval 1 hour)",
  );
  expect(await forgetNow(3_600_000).next(going)).toBe(true); // swept, and lies until late mentions can be there
  const face = await storeFace({ candidates: [], person: 7 });
  expect(await forgetNow().next(going)).toBe(false);

  await world.database.query("update erasures set lease_owner = 'the test'");
  expect(await forgetNow().next(going)).toBe(true);
  expect((await rowOf(face)).person).toBe(-1);
  expect(await world.database.query<RowDataPacket[]>('select person, outcome from images')).toEqual([
    { person: -1, outcome: 'unknown' },
  ]);
  expect(await forgetNow().next(going)).toBe(false);
});

test('a decision anew that was made before the erasing does not bring the person back', async () => {
  const [gone, stays] = [await enrol('Gone'), await enrol('Stays')];
  const face = await storeFace({ candidates: [] });
  const people = createPersonStore(world.database);
  await world.database.query(
    "insert into redecisions (threshold, lease_owner, lease_until) values (0.5, 'the test', now() + interval 1 hour)",
  );
  const near = [gone, stays].map(({ imageName }, index) => ({ imageName, distance: 0.1 + index / 10 }));
  const redecide = createRedecide({
    store: createRedecisionStore(world.database, 'the test'),
    people: {
      ...people,
      async ownersOf(names) {
        const owners = await people.ownersOf(names);
        await world.ask('DELETE', `/people/${gone.id}`);
        return owners;
      },
    },
    gallery: {
      describe: async () => ({ ...DESCRIPTION, model: 'other' }),
      decide: async () => ({ decisions: [{ decided: true, imageName: '', distance: 0, candidates: near }], galleryVersion: 1 }),
    },
    log: silent,
  });

  expect(await redecide.next(going)).toBe(true);
  expect(await rowOf(face)).toMatchObject({
    person: stays.id,
    candidates: [{ person: stays.id, imageName: stays.imageName, distance: 0.2 }],
  });
  expect(await everything()).not.toContain(gone.imageName);
});

test('of two who ask at once, one erases and the other finds nobody', async () => {
  const { id } = await enrol('Twice');
  const answers = await Promise.all([world.ask('DELETE', `/people/${id}`), world.ask('DELETE', `/people/${id}`)]);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 404]);
});
