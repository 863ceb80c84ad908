import { silent } from '@kube-face/shared-lib/logger';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Changes, showRow } from '../src/changes.ts';
import type { Counts } from '../src/counts.ts';
import { createLive, type Live, type Viewer } from '../src/live.ts';
import type { Photo } from '../src/photo.ts';
import type { PhotoQuery } from '../src/photo-query.ts';
import { fakePhoto, matched } from './fakes.ts';

const COUNTS: Counts = {
  byStatus: { pending: 1, processing: 0, processed: 2, failed: 0 },
  byOutcome: {},
  lastHour: [],
  lastMinute: 0,
};

let table: Photo[];
let isAway: boolean;
let looks: number;
let counts: Counts;
let live: Live;

async function answer(photos: Photo[]): Promise<Photo[]> {
  if (isAway) throw Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
  return photos;
}

beforeEach(() => {
  vi.useFakeTimers();
  table = [fakePhoto({ id: 1 })];
  isAway = false;
  looks = 0;
  counts = COUNTS;
  live = createLive({
    photos: {
      newest: (limit) => {
        looks += 1;
        return answer(table.slice(-limit));
      },
      justFinished: () => answer([]),
      byIds: (ids) => answer(table.filter(({ id }) => ids.includes(id))),
    },
    counts: { latest: () => counts },
    log: silent,
  });
});

afterEach(() => {
  live.close();
  vi.useRealTimers();
});

function follow(ids: readonly number[] = [], query: PhotoQuery | undefined = { sort: 'newest' }) {
  const heard = { rows: [] as number[], gone: [] as number[], summaries: 0, away: [] as boolean[] };
  const viewer: Viewer = {
    view: { query, rows: new Map(ids.map((id) => [id, showRow(fakePhoto({ id })).version])), floor: 0 },
    onChanges: ({ rows, gone }: Changes) => {
      heard.rows.push(...rows.map(({ id }) => id));
      heard.gone.push(...gone);
    },
    onSummary: () => {
      heard.summaries += 1;
    },
    onDatabase: (away) => heard.away.push(away),
  };
  return { heard, leave: live.join(viewer) };
}

test('a page hears within a second of what is new, changed and gone', async () => {
  const { heard } = follow([1]);
  await vi.advanceTimersByTimeAsync(0);
  expect(heard).toMatchObject({ rows: [], gone: [] });
  table = [matched({ id: 1 }), fakePhoto({ id: 2 })];
  await vi.advanceTimersByTimeAsync(1_000);
  expect(heard).toMatchObject({ rows: [1, 2], gone: [] });
  table = [];
  await vi.advanceTimersByTimeAsync(1_000);
  expect(heard).toMatchObject({ rows: [1, 2], gone: [1, 2] });
});

test('the database is looked at once a second for all pages together, and not at all for none', async () => {
  await vi.advanceTimersByTimeAsync(10_000);
  expect(looks).toBe(0);
  const pages = Array.from({ length: 50 }, () => follow([1]));
  await vi.advanceTimersByTimeAsync(9_500);
  expect(looks).toBe(10);
  for (const { leave } of pages) leave();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(looks).toBe(10);
});

test('where pages show more rows than are looked up at a time, they take turns', async () => {
  table = Array.from({ length: 4_500 }, (_, index) => fakePhoto({ id: index + 1 }));
  const pages = Array.from({ length: 15 }, (_, page) =>
    follow(
      table.slice(page * 300, (page + 1) * 300).map(({ id }) => id),
      { sort: 'oldest' },
    ),
  );
  await vi.advanceTimersByTimeAsync(0);
  const changed = [3, 2_100, 4_399];
  table = table.map((photo) => (changed.includes(photo.id) ? matched({ id: photo.id }) : photo));
  await vi.advanceTimersByTimeAsync(3_000);
  expect(
    pages
      .flatMap(({ heard }) => heard.rows)
      .filter((id) => changed.includes(id))
      .toSorted((a, b) => a - b),
  ).toEqual(changed);
  expect(pages.flatMap(({ heard }) => heard.gone)).toEqual([]);
});

test('pages hear that the database is away, and that it is back', async () => {
  const { heard } = follow([1]);
  await vi.advanceTimersByTimeAsync(0);
  isAway = true;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(heard.away).toEqual([true]);
  const late = follow([1]);
  expect(late.heard.away).toEqual([true]);
  isAway = false;
  table = [matched({ id: 1 })];
  await vi.advanceTimersByTimeAsync(1_000);
  expect([heard.away, heard.rows]).toEqual([[true, false], [1]]);
});

test('the counts are sent when they change', async () => {
  const { heard } = follow();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(heard.summaries).toBe(1);
  counts = { ...COUNTS, lastMinute: 5 };
  await vi.advanceTimersByTimeAsync(3_000);
  expect(heard.summaries).toBe(2);
});
