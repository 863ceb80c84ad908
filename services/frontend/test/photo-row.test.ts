import { expect, test } from 'vitest';
import { renderPhotoRow } from '../src/pages/photo-row.ts';
import type { Photo } from '../src/photo.ts';
import { failed, fakePhoto, later, matched } from './fakes.ts';

const cells = (photo: Photo) =>
  renderPhotoRow(photo)
    .toString()
    .split('<td')
    .slice(1)
    .map((cell) =>
      cell
        .replace(/^[^>]*>/, '')
        .replace(/<[^>]*>/g, ' ')
        .replace(/\s+/g, ' ')
        .trim(),
    );

test('a recognised photo shows who, how near, how many faces and how long it took', () => {
  expect(cells(matched())).toEqual([
    '7',
    '',
    '/unknown_people/a.jpg',
    'Hannibal distance 0.41',
    'processed Recognised',
    '2 faces',
    '2026-03-14 12:00:01 UTC took 240 ms',
  ]);
});

test.each<[string, Partial<Photo>, string]>([
  ['waits', {}, 'pending Waiting for its turn'],
  ['was not queued', { queuedAt: null }, 'pending Waiting to be queued'],
  ['was put back', { attempts: 2 }, 'pending Waiting to be tried again'],
  ['backs off', { attempts: 1, retryAt: later(5_000) }, 'pending Will be tried again 2026-03-14 12:00:05 UTC'],
  ['is looked at', { status: 'processing', attempts: 1 }, 'processing Being looked at'],
  ['shows strangers', { status: 'processed', outcome: 'unknown' }, 'processed Faces, but nobody known'],
  ['shows nobody', { status: 'processed', outcome: 'no_face' }, 'processed No face was found'],
  ['has no file', { status: 'failed', outcome: 'missing_file' }, 'failed The file is not in the photo folder'],
  [
    'failed for now',
    { status: 'failed', outcome: 'timeout', retryAt: later(0) },
    'failed Face recognition took too long. Next try 2026-03-14 12:00:00 UTC',
  ],
])('a photo that %s says so', (_what, change, text) => {
  expect(cells(fakePhoto(change))[4]).toBe(text);
});

test('a path and a name that look like HTML stay text, also in attributes', () => {
  const hostile = '"><script>alert(1)</script>';
  const row = renderPhotoRow(matched({ path: hostile, person: { id: 3, name: hostile } })).toString();
  expect(row).not.toContain('<script');
  expect(row.match(/&quot;&gt;&lt;script&gt;/g)).toHaveLength(3);
});

test('the picture of a photo that is known not to be there is not asked for', () => {
  expect(renderPhotoRow(failed()).toString()).not.toContain('<img');
  expect(renderPhotoRow(failed({ outcome: 'timeout' })).toString()).toContain('src="/pictures/7/thumb"');
});

test('a clock that was set back makes no negative time', () => {
  expect(cells(matched({ startedAt: later(5_000) }))[6]).toBe('2026-03-14 12:00:01 UTC');
});
