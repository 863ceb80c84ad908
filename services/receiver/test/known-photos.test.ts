import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { tempFolder } from '../../../test/harness/temp-folder.ts';
import { createKnownPhotos, type KnownPhotos, slugOf } from '../src/known-photos.ts';

let folder: string;
let photos: KnownPhotos;

beforeEach(() => {
  folder = tempFolder('known');
  photos = createKnownPhotos(folder);
});
const write = (name: string, text = '') => writeFile(join(folder, name), text);

test.each([
  ['Hannibal', 'hannibal'],
  ['Zoë  Müller-Lüdenscheidt', 'zoe_muller_ludenscheidt'],
  ["../O'Neil/..", 'o_neil'],
  ['李雷', 'person'],
  ['a'.repeat(255), 'a'.repeat(60)],
])('%s is named by %s', (name, slug) => {
  expect(slugOf(name)).toBe(slug);
});

test('counts on above every number that a file or a row has', async () => {
  await write('hannibal_2.jpg');
  await write('hannibal_x.jpg');
  await write('hannibal_lecter_50.jpg');
  expect(await photos.freeNames('hannibal', ['jpg', 'png'], ['hannibal_7.webp'])).toEqual(['hannibal_8.jpg', 'hannibal_9.png']);
  expect(await photos.freeNames('john', ['webp'], [])).toEqual(['john_1.webp']);
});

test('a photo that has its name lies there whole, under no other', async () => {
  await write('.upload-1', 'bytes');
  await photos.place(join(folder, '.upload-1'), 'john_1.jpg');
  expect(await readdir(folder)).toEqual(['john_1.jpg']);
  expect(await readFile(join(folder, 'john_1.jpg'), 'utf8')).toBe('bytes');
  expect(await photos.has('john_1.jpg')).toBe(true);
});

test('never replaces a photo', async () => {
  await write('.upload-1', 'new');
  await write('john_1.jpg', 'old');
  await expect(photos.place(join(folder, '.upload-1'), 'john_1.jpg')).rejects.toMatchObject({ code: 'EEXIST' });
  expect(await readFile(join(folder, 'john_1.jpg'), 'utf8')).toBe('old');
});

test('removes photos, also those that are gone already', async () => {
  await write('john_1.jpg');
  await photos.remove(['john_1.jpg', 'john_2.jpg']);
  expect(await readdir(folder)).toEqual([]);
  expect(await photos.has('john_1.jpg')).toBe(false);
});
