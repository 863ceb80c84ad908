import { expect, test } from 'vitest';
import { createSight, MAX_ROWS, parseRows, showRow, takeChanges, type View } from '../src/changes.ts';
import type { Photo } from '../src/photo.ts';
import type { PhotoQuery } from '../src/photo-query.ts';
import { failed, fakePhoto, matched } from './fakes.ts';

const view = (photos: readonly Photo[], query: PhotoQuery | undefined = { sort: 'newest' }): View => ({
  query,
  rows: new Map(photos.map((photo) => [photo.id, showRow(photo).version])),
  floor: 0,
});

const sight = (asked: readonly number[], watched: readonly Photo[], fresh: readonly Photo[] = []) =>
  createSight(asked, watched, fresh);

const ids = ({ rows, gone }: { rows: readonly { id: number }[]; gone: readonly number[] }) => ({
  rows: rows.map(({ id }) => id),
  gone,
});

test('tells of a row that looks different, once', () => {
  const page = view([fakePhoto({ id: 1 }), fakePhoto({ id: 2 })]);
  const now = sight([1, 2], [fakePhoto({ id: 1 }), matched({ id: 2 })]);
  expect(ids(takeChanges(page, now))).toEqual({ rows: [2], gone: [] });
  expect(ids(takeChanges(page, now))).toEqual({ rows: [], gone: [] });
});

test('a person with another name is another look', () => {
  const page = view([matched()]);
  const renamed = matched({ person: { id: 3, name: 'John Smith' } });
  expect(takeChanges(page, sight([7], [renamed])).rows[0]?.html).toContain('John Smith');
});

test('tells of photos that are gone, but not of those that nobody looked for this time', () => {
  const page = view([fakePhoto({ id: 1 }), fakePhoto({ id: 2 })]);
  expect(ids(takeChanges(page, sight([1], [])))).toEqual({ rows: [], gone: [1] });
  expect([...page.rows.keys()]).toEqual([2]);
});

test.each<[string, PhotoQuery | undefined, number[]]>([
  ['everything', { sort: 'newest' }, [8, 9]],
  ['failures', { sort: 'newest', status: 'failed' }, [9]],
  ['one outcome', { sort: 'newest', outcome: 'match' }, [8]],
  ['one person', { sort: 'newest', person: 3 }, [8]],
  ['a part of the path, in any case', { sort: 'newest', search: 'B.JPG' }, [9]],
  ['another order', { sort: 'oldest' }, []],
  ['a later page', { sort: 'newest', after: { id: 100 } }, []],
  ['no table', undefined, []],
])('a page of %s is told of the new photos that belong into it', (_what, query, expected) => {
  const fresh = [matched({ id: 8 }), failed({ id: 9, path: 'b.jpg' })];
  expect(takeChanges({ query, rows: new Map(), floor: 0 }, sight([], [], fresh)).rows.map(({ id }) => id)).toEqual(expected);
});

test('what belongs on a later page does not enter this one', () => {
  const page = { ...view([fakePhoto({ id: 6 })]), floor: 5 };
  const fresh = [4, 5, 6, 7].map((id) => fakePhoto({ id }));
  expect(ids(takeChanges(page, sight([6], [], fresh)))).toEqual({ rows: [7], gone: [] });
});

test('a page follows only so many rows, the newest', () => {
  const page = view([]);
  takeChanges(
    page,
    sight(
      [],
      [],
      Array.from({ length: MAX_ROWS + 5 }, (_, index) => fakePhoto({ id: index + 1 })),
    ),
  );
  expect([page.rows.size, Math.min(...page.rows.keys())]).toEqual([MAX_ROWS, 6]);
});

test.each([
  ['', []],
  ['1.abc', [[1, 'abc']]],
  [
    '1.abc,22.def',
    [
      [1, 'abc'],
      [22, 'def'],
    ],
  ],
  ['x.abc', undefined],
  ['1.abc,', undefined],
  ['1.aaaaaaaaaaaaaaaaaaaa', undefined],
  [Array.from({ length: MAX_ROWS + 1 }, (_, index) => `${index + 1}.a`).join(','), undefined],
])('rows in an address: %.20s', (text, rows) => {
  const parsed = parseRows(text);
  expect(parsed && [...parsed]).toEqual(rows);
});
