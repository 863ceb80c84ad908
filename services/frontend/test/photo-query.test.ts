import { expect, test } from 'vitest';
import { type PhotoQuery, parseId, parsePhotoQuery, photoQueryAddress, QueryError } from '../src/photo-query.ts';

const parse = (text: string) => parsePhotoQuery(new URLSearchParams(text));

test('everything that the table shows stands in the address, and comes back from it', () => {
  const queries: PhotoQuery[] = [
    { sort: 'newest' },
    { status: 'failed', outcome: 'timeout', person: 3, search: 'a b&c', sort: 'oldest', after: { id: 17 } },
    { sort: 'finished', before: { finishedAt: new Date(1_773_489_600_123), id: 5 } },
    { sort: 'path', after: { path: 'ü/a?b=c&d.jpg' } },
  ];
  for (const query of queries) expect(parse(photoQueryAddress(query, ''))).toEqual(query);
});

test('the newest of everything has the bare address', () => {
  expect(photoQueryAddress({ sort: 'newest' })).toBe('/');
});

test('empty fields, as a form sends them, narrow nothing', () => {
  expect(parse('status=&outcome=&person=&q=+&sort=')).toEqual({ sort: 'newest' });
});

test.each([
  'status=done',
  'outcome=maybe',
  'person=-1',
  'person=1e3',
  'person=Hannibal',
  'sort=random',
  'after=abc',
  'after=0',
  'sort=finished&after=17',
  'before=99999999999999999',
])('%s is refused with a sentence', (text) => {
  expect(() => parse(text)).toThrow(QueryError);
});

test.each([
  ['1', 1],
  ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ['9007199254740993', undefined],
  ['0', undefined],
  ['', undefined],
  ['1.5', undefined],
  [' 1', undefined],
  ['0x10', undefined],
])('the number %j is read as %j', (text, id) => {
  expect(parseId(text)).toBe(id);
});
