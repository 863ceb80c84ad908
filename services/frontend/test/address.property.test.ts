import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, expect } from 'vitest';
import { property } from '../../../test/harness/property.ts';
import { tempFolder } from '../../../test/harness/temp-folder.ts';
import { parseRows } from '../src/changes.ts';
import { html } from '../src/html.ts';
import { createPhotoFolder } from '../src/photo-folder.ts';
import { parseId, parsePhotoQuery, photoQueryAddress, QueryError } from '../src/photo-query.ts';

const NAMES = ['status', 'outcome', 'person', 'path', 'after', 'before', 'q', 'table', 'from', 'to', 'size'];
const VALUES = ['failed', 'match', '1', '-1', '0', '9007199254740993', '', '2026-01-01'];
const word = fc.oneof(fc.constantFrom(...NAMES), fc.string({ maxLength: 8 }));
const value = fc.oneof(fc.constantFrom(...VALUES), fc.string({ unit: 'binary', maxLength: 30 }));

property(
  'whatever stands behind the question mark is a query, or is refused as one',
  [fc.array(fc.tuple(word, value), { maxLength: 6 })],
  (pairs) => {
    let query: ReturnType<typeof parsePhotoQuery>;
    try {
      query = parsePhotoQuery(new URLSearchParams(pairs.map(([name, text]): [string, string] => [name, text.toWellFormed()])));
    } catch (error) {
      expect(error).toBeInstanceOf(QueryError);
      return;
    }
    const address = new URL(photoQueryAddress(query), 'http://page');
    expect(parsePhotoQuery(address.searchParams)).toEqual(query);
  },
);

property(
  'an id is a number that is safe, or none',
  [fc.oneof(fc.string(), fc.bigInt({ min: -10n, max: 10n ** 20n }).map(String))],
  (text) => {
    const id = parseId(text);
    if (id !== undefined) expect([Number.isSafeInteger(id) && id > 0, String(id)]).toEqual([true, text]);
  },
);

property(
  'rows that a page names are ids with versions, or the list is refused',
  [fc.string({ unit: fc.constantFrom(...'0123456789abc.,:-'), maxLength: 40 })],
  (text) => {
    for (const id of parseRows(text)?.keys() ?? []) expect(Number.isSafeInteger(id) && id > 0).toBe(true);
  },
);

property(
  'no text gets out of its place on a page',
  [fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('</p><script>', '"onerror="', "'x", '&lt;'))],
  (text) => {
    const page = html`<p title="${text}">${text}</p>`.toString();
    expect(page.replace(/^<p title="|">|<\/p>$/g, '')).not.toMatch(/[<>"]/);
  },
);

const root = tempFolder('pictures');
const folder = join(root, 'unknown_people');
const SECRET = 'nobody outside may see this';
beforeAll(() => {
  for (const path of ['unknown_people/inner', 'outside']) mkdirSync(join(root, path), { recursive: true });
  for (const path of ['outside/a.jpg', 'a.jpg']) writeFileSync(join(root, path), SECRET);
  writeFileSync(join(folder, 'a.jpg'), 'a photo');
  symlinkSync('../outside', join(folder, 'out'));
});
const part = fc.oneof(
  fc.constantFrom('a.jpg', 'inner', 'out', '..', '.', '', 'outside', 'unknown_people'),
  fc.string({ maxLength: 6 }),
);
const path = fc
  .tuple(fc.constantFrom('', '/', '/unknown_people/', `${root}/`, `${folder}/`), fc.array(part, { maxLength: 6 }))
  .map(([start, parts]) => start + parts.join('/'));

property('no path in a row shows what lies outside the folder', [path], async (text) => {
  const file = await createPhotoFolder(folder, '/unknown_people').open(text);
  if (!file) return;
  const bytes = await file.read();
  await file.close();
  expect(bytes.toString()).toBe('a photo');
});
