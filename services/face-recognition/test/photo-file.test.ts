import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { beforeEach, describe, expect, test } from 'vitest';
import { createPhotoReader, FolderAwayError, MAX_PHOTO_BYTES, resolvePhotoPath } from '../src/photo-file.ts';
import { temporaryFolder } from './fakes.ts';

let outer: string;
let folder: string;

beforeEach(async () => {
  outer = await temporaryFolder();
  folder = join(outer, 'unknown');
  await mkdir(join(folder, 'sub'), { recursive: true });
  await writeFile(join(folder, 'a.jpg'), 'photo a');
  await writeFile(join(folder, 'sub', 'b.jpg'), 'photo b');
  await writeFile(join(outer, 'secret.jpg'), 'secret');
  await mkdir(join(outer, 'unknown-too'));
  await writeFile(join(outer, 'unknown-too', 'a.jpg'), 'neighbour');
});

async function read(path: string): Promise<string> {
  const file = await createPhotoReader(folder)(path);
  return 'failure' in file ? file.failure : Buffer.from(file.bytes).toString();
}

/** Root may read everything, so it steps down for a moment. */
async function withoutPrivileges<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

describe('where a path leads', () => {
  test.each([
    ['a.jpg', '/photos/a.jpg'],
    ['sub/b.jpg', '/photos/sub/b.jpg'],
    ['/unknown_people/a.jpg', '/photos/a.jpg'],
    ['/unknown_people//a.jpg', '/photos/a.jpg'],
    ['/unknown_people/../a.jpg', '/a.jpg'],
    ['/unknown_people_too/a.jpg', '/unknown_people_too/a.jpg'],
    ['/photos/a.jpg', '/photos/a.jpg'],
    ['../a.jpg', '/a.jpg'],
  ])('%s', (path, expected) => {
    expect(resolvePhotoPath('/photos', path)).toBe(expected);
  });
});

describe('reads', () => {
  test.each([
    ['a.jpg', 'photo a'],
    ['./a.jpg', 'photo a'],
    ['/unknown_people/a.jpg', 'photo a'],
    ['sub/b.jpg', 'photo b'],
    ['sub/../a.jpg', 'photo a'],
  ])('%s', async (path, content) => {
    expect(await read(path)).toBe(content);
  });

  test('an absolute path inside the folder', async () => {
    expect(await read(join(folder, 'a.jpg'))).toBe('photo a');
  });

  test('through a link that stays inside, and in a folder that is itself a link', async () => {
    await symlink('sub/b.jpg', join(folder, 'inside.jpg'));
    expect(await read('inside.jpg')).toBe('photo b');
    await symlink(folder, join(outer, 'link'));
    const file = await createPhotoReader(join(outer, 'link'))('a.jpg');
    expect(file).toMatchObject({ bytes: new Uint8Array(Buffer.from('photo a')) });
  });

  test('a photo of exactly 20 MB', async () => {
    await writeFile(join(folder, 'big.jpg'), '');
    await truncate(join(folder, 'big.jpg'), MAX_PHOTO_BYTES);
    expect(await createPhotoReader(folder)('big.jpg')).toMatchObject({ bytes: { length: MAX_PHOTO_BYTES } });
  });
});

describe('says what is wrong', () => {
  test.each([
    ['nothing.jpg', 'missing_file'],
    ['a.jpg/b.jpg', 'missing_file'],
    ['a\0.jpg', 'missing_file'],
    [`${'x'.repeat(300)}.jpg`, 'missing_file'],
    ['', 'unreadable_image'],
    ['.', 'unreadable_image'],
    ['sub', 'unreadable_image'],
    ['/unknown_people/', 'unreadable_image'],
    ['../secret.jpg', 'outside_folder'],
    ['../../../../../../etc/passwd', 'outside_folder'],
    ['/etc/passwd', 'outside_folder'],
    ['/unknown_people/../../etc/passwd', 'outside_folder'],
    ['../nothing-there', 'outside_folder'],
    ['../unknown-too/a.jpg', 'outside_folder'],
    ['sub/../../secret.jpg', 'outside_folder'],
  ])('%s', async (path, failure) => {
    expect(await read(path)).toBe(failure);
  });

  test('links that lead out, in circles or nowhere', async () => {
    await symlink('../secret.jpg', join(folder, 'out.jpg'));
    await symlink('/dev/zero', join(folder, 'zero.jpg'));
    await symlink('..', join(folder, 'up'));
    await symlink('circle.jpg', join(folder, 'circle.jpg'));
    await symlink('gone.jpg', join(folder, 'dangling.jpg'));
    expect(await read('out.jpg')).toBe('outside_folder');
    expect(await read('zero.jpg')).toBe('outside_folder');
    expect(await read('up/secret.jpg')).toBe('outside_folder');
    expect(await read('circle.jpg')).toBe('missing_file');
    expect(await read('dangling.jpg')).toBe('missing_file');
  });

  test('a FIFO, at once', async () => {
    execFileSync('mkfifo', [join(folder, 'fifo.jpg')]);
    expect(await read('fifo.jpg')).toBe('unreadable_image');
  });

  test('an empty file, and one above 20 MB without reading it', async () => {
    await writeFile(join(folder, 'empty.jpg'), '');
    await writeFile(join(folder, 'huge.jpg'), '');
    await truncate(join(folder, 'huge.jpg'), 500 * MAX_PHOTO_BYTES);
    expect(await read('empty.jpg')).toBe('unreadable_image');
    expect(await read('huge.jpg')).toBe('too_large');
  });

  test('a file, or a folder on the way, that may not be read', async () => {
    await chmod(outer, 0o755);
    await chmod(join(folder, 'a.jpg'), 0o000);
    await chmod(join(folder, 'sub'), 0o000);
    const asNobody = await withoutPrivileges(async () => [await read('a.jpg'), await read('sub/b.jpg')]);
    expect(asNobody).toEqual(['unreadable_image', 'unreadable_image']);
  });
});

test('reads nothing from outside, however fast a folder and a link change places', async () => {
  await mkdir(join(outer, 'elsewhere'));
  await writeFile(join(outer, 'elsewhere', 'b.jpg'), 'secret');
  await symlink('../elsewhere', join(folder, 'link'));
  const swaps = `
    const { renameSync } = require('node:fs');
    const { join } = require('node:path');
    const { folder, stop } = require('node:worker_threads').workerData;
    const move = (from, to) => renameSync(join(folder, from), join(folder, to));
    while (!Atomics.load(stop, 0)) {
      move('sub', 'aside'), move('link', 'sub');
      move('sub', 'link'), move('aside', 'sub');
    }`;
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(swaps, { eval: true, workerData: { folder, stop } });
  const outcomes = new Set<string>();
  const startedAt = performance.now();
  const ran = () => performance.now() - startedAt;
  const isSeen = () => outcomes.has('photo b') && outcomes.has('outside_folder');
  while (ran() < 1_000 || (!isSeen() && ran() < 15_000)) outcomes.add(await read('sub/b.jpg'));
  Atomics.store(stop, 0, 1);
  await once(worker, 'exit');
  expect(outcomes).toContain('photo b');
  expect(outcomes).toContain('outside_folder');
  expect(outcomes).not.toContain('secret');
});

test('a folder that is away is a fault that may pass, not a missing file', async () => {
  await rm(folder, { recursive: true });
  await expect(createPhotoReader(folder)('a.jpg')).rejects.toBeInstanceOf(FolderAwayError);
});
