import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { tempFolder } from '../../../test/harness/temp-folder.ts';
import { createPhotoFolder, MAX_PHOTO_BYTES, type PhotoFolder } from '../src/photo-folder.ts';

let base: string;
let root: string;
let folder: PhotoFolder;

beforeEach(() => {
  base = tempFolder('photo-folder');
  root = join(base, 'mounted', 'photos');
  mkdirSync(join(root, 'deep'), { recursive: true });
  writeFileSync(join(root, 'a.jpg'), 'a');
  writeFileSync(join(root, 'deep', 'b.jpg'), 'bb');
  writeFileSync(join(base, 'secret.jpg'), 'secret');
  mkdirSync(`${root}-other`);
  writeFileSync(`${root}-other/c.jpg`, 'c');
  folder = createPhotoFolder(root, '/unknown_people');
});

async function read(path: string): Promise<string | undefined> {
  const file = await folder.open(path);
  if (!file) return undefined;
  try {
    return (await file.read()).toString();
  } finally {
    await file.close();
  }
}

test('a path is taken from the folder, by whichever of its names', async () => {
  expect(await read('a.jpg')).toBe('a');
  expect(await read('deep/../deep/b.jpg')).toBe('bb');
  expect(await read('/unknown_people/deep/b.jpg')).toBe('bb');
  expect(await read(join(root, 'a.jpg'))).toBe('a');
});

test('a link is followed as long as it ends inside', async () => {
  symlinkSync(join(root, 'deep', 'b.jpg'), join(root, 'inside.jpg'));
  symlinkSync(join(base, 'secret.jpg'), join(root, 'outside.jpg'));
  symlinkSync(base, join(root, 'up'));
  symlinkSync('loop.jpg', join(root, 'loop.jpg'));
  expect(await read('inside.jpg')).toBe('bb');
  expect(await read('outside.jpg')).toBeUndefined();
  expect(await read('up/secret.jpg')).toBeUndefined();
  expect(await read('loop.jpg')).toBeUndefined();
});

test.each([
  '../../secret.jpg',
  '/unknown_people/../../secret.jpg',
  '/unknown_people/../photos-other/c.jpg',
  '/etc/hostname',
  '/proc/self/environ',
  'deep',
  '.',
  '',
  '/unknown_people/',
  'a.jpg/b.jpg',
  'missing.jpg',
  'a.jpg\0.png',
  'x'.repeat(5_000),
])('nothing is read at %j', async (path) => {
  expect(await read(path)).toBeUndefined();
});

test('a folder may be the root of everything', async () => {
  folder = createPhotoFolder('/', '/unknown_people');
  expect(await read(join(base, 'secret.jpg'))).toBe('secret');
});

test('a pipe and an empty file are no photos, and nobody waits for them', async () => {
  execFileSync('mkfifo', [join(root, 'pipe.jpg')]);
  writeFileSync(join(root, 'empty.jpg'), '');
  expect(await read('pipe.jpg')).toBeUndefined();
  expect(await read('empty.jpg')).toBeUndefined();
});

test('a file of 20 MB is read, and a larger one is not', async () => {
  writeFileSync(join(root, 'large.jpg'), '');
  truncateSync(join(root, 'large.jpg'), MAX_PHOTO_BYTES);
  expect((await read('large.jpg'))?.length).toBe(MAX_PHOTO_BYTES);
  truncateSync(join(root, 'large.jpg'), MAX_PHOTO_BYTES + 1);
  expect(await read('large.jpg')).toBeUndefined();
});

test('the tag of a file changes with it', async () => {
  const tag = async () => {
    const file = await folder.open('a.jpg');
    await file?.close();
    return file?.tag;
  };
  const before = await tag();
  expect(await tag()).toBe(before);
  appendFileSync(join(root, 'a.jpg'), 'more');
  expect(await tag()).not.toBe(before);
});

test('a volume that is gone is a missing photo', async () => {
  folder = createPhotoFolder(join(base, 'not-mounted'), '/unknown_people');
  expect(await read('a.jpg')).toBeUndefined();
});
