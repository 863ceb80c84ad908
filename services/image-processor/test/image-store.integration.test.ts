import type { Database, ResultSetHeader, RowDataPacket } from '@kube-face/shared-lib/mysql';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freshTables } from '../../../test/harness/database.ts';
import { createImageStore, type ImageStore, type Result } from '../src/image-store.ts';
import type { Reading } from '../src/read-answer.ts';
import { fakeFace } from './fakes.ts';

const LEASE_MS = 30_000;

let database: Database;
let mine: ImageStore;
let theirs: ImageStore;

beforeAll(async () => {
  database = await freshTables();
  mine = createImageStore(database, { owner: 'mine', leaseMs: LEASE_MS });
  theirs = createImageStore(database, { owner: 'theirs', leaseMs: LEASE_MS });
});

afterAll(async () => {
  await database.close();
});

beforeEach(async () => {
  for (const table of ['images', 'faces', 'attempts', 'person', 'person_images']) await database.query(`delete from ${table}`);
  await database.query("insert into person (id, name) values (3, 'Hannibal'), (5, 'John'), (9, 'Murdock')");
});

type Columns = Record<string, string | number>;

async function insert(columns: Columns = {}): Promise<number> {
  const all: Columns = { path: 'uuid()', ...columns };
  const sql = `insert into images (${Object.keys(all)}) values (${Object.values(all)})`;
  return (await database.query<ResultSetHeader>(sql)).insertId;
}

async function rowOf(id: number): Promise<RowDataPacket> {
  const [row] = await database.query<RowDataPacket[]>('select * from images where id = ?', [id]);
  if (!row) throw new Error(`no row ${id}`);
  return row;
}

async function facesOf(id: number): Promise<RowDataPacket[]> {
  return await database.query<RowDataPacket[]>('select * from faces where image = ? order by position', [id]);
}

async function attemptsOf(id: number): Promise<RowDataPacket[]> {
  return await database.query<RowDataPacket[]>('select * from attempts where image = ? order by id', [id]);
}

function reading(change: Partial<Reading> = {}): Reading {
  const { box, score, descriptor } = fakeFace([]);
  const candidates = [{ person: 3, imageName: 'hannibal_1.jpg', distance: 0.25 }];
  return {
    outcome: 'match',
    person: 3,
    distance: 0.25,
    detail: undefined,
    faces: [{ box, score, descriptor, person: 3, imageName: 'hannibal_1.jpg', distance: 0.25, candidates }],
    model: 'fake',
    galleryVersion: 7,
    ...change,
  };
}

const processed = (id: number, change?: Partial<Reading>): Result => ({ id, kind: 'processed', reading: reading(change) });
const failed = (id: number, retryMs?: number): Result => ({ id, kind: 'failed', outcome: 'internal', detail: 'why', retryMs });
const putBack = (id: number): Result => ({ id, kind: 'put back', detail: 'waiting for recognition' });

const PAST = 'current_timestamp(3) - interval 1 second';
const FUTURE = 'current_timestamp(3) + interval 10 second';

describe('claim', () => {
  test.each<[string, Columns]>([
    ['a pending photo', { status: 0 }],
    ['one whose lease ended', { status: 3, lease_owner: "'gone'", lease_until: PAST }],
    [
      'one that the original claimed more than five minutes ago',
      { status: 3, updated_at: 'current_timestamp(3) - interval 6 minute' },
    ],
    ['one whose back-off ended', { status: 2, outcome: "'timeout'", retry_at: PAST }],
  ])('takes %s', async (_name, columns) => {
    const id = await insert({ ...columns, path: "'/unknown_people/ä.jpg'", attempts: 2, trace_parent: "'00-1'" });

    expect(await mine.claim([id])).toEqual([
      { kind: 'won', photo: { id, path: '/unknown_people/ä.jpg', attempts: 2, traceParent: '00-1' } },
    ]);

    expect(await rowOf(id)).toMatchObject({ status: 3, lease_owner: 'mine', outcome: null, retry_at: null, finished_at: null });
  });

  test.each<[string, Columns, number]>([
    ['one that another holds', { status: 3, lease_owner: "'theirs'", lease_until: FUTURE }, 10_000],
    ['one that the original has just claimed', { status: 3 }, 300_000],
    ['one that backs off', { status: 2, outcome: "'timeout'", retry_at: FUTURE }, 10_000],
  ])('leaves %s, and tells for how long', async (_name, columns, waitMs) => {
    const id = await insert(columns);
    const before = await rowOf(id);
    const [claim] = await mine.claim([id]);

    expect(claim).toMatchObject({ kind: 'held' });
    const wait = claim?.kind === 'held' ? claim.waitMs : 0;
    expect(wait).toBeGreaterThan(waitMs - 5_000);
    expect(wait).toBeLessThanOrEqual(waitMs);
    expect(await rowOf(id)).toEqual(before);
  });

  test.each<[string, Columns]>([
    ['processed', { status: 1 }],
    ['failed for good', { status: 2, outcome: "'missing_file'" }],
    ['failed by the original', { status: 2 }],
  ])('has nothing to do with one that is %s', async (_name, columns) => {
    const id = await insert(columns);

    expect(await mine.claim([id, id + 1_000])).toEqual([{ kind: 'settled' }, { kind: 'settled' }]);
  });

  test('two processors at once never win the same photo', async () => {
    const ids: number[] = [];
    for (let photo = 0; photo < 50; photo += 1) ids.push(await insert());
    const claims = await Promise.all([mine.claim(ids), theirs.claim(ids.toReversed())]);
    const winners = claims.map((all) => all.filter(({ kind }) => kind === 'won').length);

    expect((winners[0] ?? 0) + (winners[1] ?? 0)).toBe(50);
  });

  test('what is ours already is not won by another', async () => {
    const id = await insert();
    await mine.claim([id]);

    expect(await theirs.claim([id])).toMatchObject([{ kind: 'held' }]);
    expect(await mine.claim([id])).toMatchObject([{ kind: 'won' }]); // the answer to the first claim was lost
  });

  test('a lease that was renewed runs anew', async () => {
    const id = await insert();
    await mine.claim([id]);
    await database.query(`update images set lease_until = current_timestamp(3) + interval 1 second where id = ?`, [id]);
    await mine.renew([id]);
    await theirs.renew([id]);
    const [claim] = await theirs.claim([id]);

    expect(claim?.kind === 'held' && claim.waitMs).toBeGreaterThan(LEASE_MS - 5_000);
    expect(await rowOf(id)).toMatchObject({ lease_owner: 'mine' });
  });
});

describe('write', () => {
  async function claimed(columns: Columns = {}): Promise<number> {
    const id = await insert(columns);
    await mine.claim([id]);
    return id;
  }

  test('a processed photo holds the whole answer', async () => {
    const id = await claimed();

    expect(await mine.write([processed(id)])).toEqual([true]);

    expect(await rowOf(id)).toMatchObject({
      status: 1,
      outcome: 'match',
      person: 3,
      distance: 0.25,
      model: 'fake',
      gallery_version: 7,
      face_count: 1,
      attempts: 1,
      lease_owner: null,
      lease_until: null,
    });
    expect((await rowOf(id)).finished_at).not.toBeNull();
    const [face] = await facesOf(id);
    expect(face).toMatchObject({
      position: 0,
      person: 3,
      image_name: 'hannibal_1.jpg',
      distance: 0.25,
      model: 'fake',
      corrected: 0,
    });
    expect(JSON.parse(face?.box)).toEqual({ x: 0, y: 0, width: 10, height: 10 });
    expect(JSON.parse(face?.candidates)).toEqual([{ person: 3, imageName: 'hannibal_1.jpg', distance: 0.25 }]);
    expect(await attemptsOf(id)).toMatchObject([{ owner: 'mine', outcome: 'match', detail: null }]);
  });

  test('many photos in one go', async () => {
    const [a, b, c] = [await claimed(), await claimed(), await claimed()];

    expect(await mine.write([processed(a), failed(b), putBack(c)])).toEqual([true, true, true]);

    expect([(await rowOf(a)).status, (await rowOf(b)).status, (await rowOf(c)).status]).toEqual([1, 2, 0]);
    expect(await attemptsOf(c)).toEqual([]);
  });

  test('a failure for good, and one that is tried again', async () => {
    const [final, passing] = [await claimed(), await claimed()];
    await mine.write([failed(final), failed(passing, 20_000)]);

    expect(await rowOf(final)).toMatchObject({ status: 2, outcome: 'internal', detail: 'why', attempts: 1, retry_at: null });
    const { retry_at, finished_at } = await rowOf(passing);
    expect(retry_at.getTime() - finished_at.getTime()).toBe(20_000);
    expect(await attemptsOf(final)).toMatchObject([{ owner: 'mine', outcome: 'internal', detail: 'why' }]);
  });

  test('a photo that was put back is as it was, but for the reason', async () => {
    const id = await claimed();
    await mine.write([putBack(id)]);

    expect(await rowOf(id)).toMatchObject({
      status: 0,
      detail: 'waiting for recognition',
      attempts: 0,
      outcome: null,
      lease_owner: null,
      lease_until: null,
    });
    expect((await rowOf(id)).queued_at).not.toBeNull(); // its message goes back to the queue
  });

  test('whoever lost the lease overwrites nothing', async () => {
    const id = await claimed();
    await database.query(`update images set lease_until = ${PAST} where id = ?`, [id]);
    await theirs.claim([id]);

    expect(await mine.write([processed(id)])).toEqual([false]);
    expect(await mine.write([failed(id)])).toEqual([false]);
    expect(await mine.write([putBack(id)])).toEqual([false]);
    expect(await rowOf(id)).toMatchObject({ status: 3, lease_owner: 'theirs', outcome: null });

    expect(await theirs.write([processed(id, { person: 5 })])).toEqual([true]);
    expect(await mine.write([processed(id)])).toEqual([false]);
    expect(await rowOf(id)).toMatchObject({ status: 1, person: 5, attempts: 1 });
    expect(await facesOf(id)).toHaveLength(1);
    expect(await attemptsOf(id)).toHaveLength(1);
  });

  test('a lease that has ended is lost, even before another takes the photo', async () => {
    const id = await claimed();
    await database.query(`update images set lease_until = ${PAST} where id = ?`, [id]);

    expect(await mine.write([processed(id)])).toEqual([false]);
    expect(await facesOf(id)).toEqual([]);
  });

  test('a photo that was erased meanwhile leaves nothing behind', async () => {
    const id = await claimed();
    await database.query('delete from images where id = ?', [id]);

    expect(await mine.write([processed(id)])).toEqual([false]);
    expect(await facesOf(id)).toEqual([]);
    expect(await attemptsOf(id)).toEqual([]);
  });

  test("one photo's lost lease does not keep the others from being written", async () => {
    const [lost, held] = [await claimed(), await claimed()];
    await database.query(`update images set lease_until = ${PAST} where id = ?`, [lost]);

    expect(await mine.write([processed(lost), processed(held)])).toEqual([false, true]);
    expect([(await facesOf(lost)).length, (await facesOf(held)).length]).toEqual([0, 1]);
  });

  test('a photo that is processed again has its new faces only, and what a hand corrected', async () => {
    const id = await claimed();
    const [face] = reading().faces ?? [];
    if (!face) throw new Error('no face');
    const beside = { ...face, box: { x: 100, y: 0, width: 10, height: 10 } };
    await mine.write([processed(id, { faces: [face, beside] })]);
    await database.query('update faces set corrected = 1, person = 9 where image = ? and position = 0', [id]);
    await database.query('update images set status = 0 where id = ?', [id]);
    await mine.claim([id]);
    await mine.write([processed(id, { faces: [face, { ...beside, person: 5 }] })]);

    expect(await facesOf(id)).toMatchObject([
      { position: 0, person: 9, corrected: 1 },
      { position: 1, person: 5, corrected: 0 },
    ]);
    expect(await rowOf(id)).toMatchObject({ person: 9, outcome: 'match', face_count: 2 });
  });

  test('whoever was erased meanwhile is not written, neither as a person nor as a candidate', async () => {
    const [both, alone, original] = [await claimed(), await claimed(), await claimed()];
    const [hannibal] = reading().faces ?? [];
    if (!hannibal) throw new Error('no face');
    const john = { ...hannibal, person: 5, distance: 0.4, candidates: [{ person: 5, imageName: 'john_1.jpg', distance: 0.4 }] };
    await database.query('delete from person where id = 3');
    await mine.write([processed(both, { faces: [hannibal, john] }), processed(alone), processed(original, { faces: undefined })]);

    expect(await rowOf(both)).toMatchObject({ outcome: 'match', person: 5, distance: 0.4 });
    expect(await facesOf(both)).toMatchObject([{ person: -1, image_name: null, candidates: '[]' }, { person: 5 }]);
    expect(await rowOf(alone)).toMatchObject({ status: 1, outcome: 'unknown', person: -1, distance: null });
    expect(await rowOf(original)).toMatchObject({ status: 1, outcome: 'unknown', person: -1 });
  });

  test('texts that are longer than their columns are cut, between characters', async () => {
    const [a, b] = [await claimed(), await claimed()];
    const long = '😀'.repeat(300);
    await mine.write([
      processed(a, { model: long, detail: long }),
      { id: b, kind: 'failed', outcome: 'internal', detail: long, retryMs: undefined },
    ]);

    expect(await rowOf(a)).toMatchObject({ model: '😀'.repeat(64), detail: '😀'.repeat(255) });
    expect((await rowOf(b)).detail).toBe('😀'.repeat(255));
  });

  test('what the original tells has no faces', async () => {
    const id = await claimed();
    await mine.write([processed(id, { faces: undefined, model: undefined, galleryVersion: undefined, distance: undefined })]);

    expect(await rowOf(id)).toMatchObject({ status: 1, person: 3, face_count: null, model: null, distance: null });
    expect(await facesOf(id)).toEqual([]);
  });
});

describe('owners', () => {
  beforeEach(async () => {
    await database.query('delete from person');
  });

  async function enrol(name: string, ...imageNames: string[]): Promise<number> {
    const { insertId } = await database.query<ResultSetHeader>('insert into person (name) values (?)', [name]);
    for (const imageName of imageNames) {
      await database.query('insert into person_images (image_name, person_id) values (?, ?)', [imageName, insertId]);
    }
    return insertId;
  }

  test("are found by the photo's name, byte by byte", async () => {
    const id = await enrol('Hannibal', 'hannibal_1.jpg', 'hannibal_2.jpg');

    expect(await mine.ownersOf(['hannibal_1.jpg', 'HANNIBAL_2.jpg', 'nobodys.jpg'])).toEqual(
      new Map([['hannibal_1.jpg', { id, name: 'Hannibal' }]]),
    );
    expect(await mine.ownersOf([])).toEqual(new Map());
  });

  test("a photo that two people claim is the one's who had it first", async () => {
    const first = await enrol('Hannibal', 'a.jpg');
    await enrol('John', 'a.jpg');

    expect((await mine.ownersOf(['a.jpg'])).get('a.jpg')).toEqual({ id: first, name: 'Hannibal' });
  });

  test('a photo of a person who is gone has none', async () => {
    const id = await enrol('Hannibal', 'a.jpg');
    await database.query('delete from person where id = ?', [id]);

    expect((await mine.ownersOf(['a.jpg'])).size).toBe(0);
  });
});
