import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silent } from '@kube-face/shared-lib/logger';
import { expect, test } from 'vitest';
import type { IndexedPhoto } from '../../src/gallery/cache-format.ts';
import { createDescriptorCache, modelFolder, SWEEP_GRACE_MS } from '../../src/gallery/descriptor-cache.ts';
import { sha256, temporaryFolder } from '../fakes.ts';

const face = { faces: 1, descriptor: Float32Array.of(1, 2) };
const hash = sha256('a photo');

function cacheIn(folder: string, { model = 'model', log = silent, now = Date.now } = {}) {
  return createDescriptorCache({ folder, model: { name: model, length: 2 }, log, now });
}

/** All files below a folder, by their path from there. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

async function indexOf(cache: ReturnType<typeof cacheIn>): Promise<IndexedPhoto[]> {
  const photos = [];
  for await (const part of cache.readIndex()) photos.push(...part);
  return photos;
}

test('keeps what was found on a photo, for any process that shares the folder', async () => {
  const folder = await temporaryFolder();
  expect(await cacheIn(folder).read(hash)).toBeUndefined();
  await cacheIn(folder).write(hash, face);
  expect(await cacheIn(folder).read(hash)).toEqual(face);
  expect(await cacheIn(folder, { model: 'another' }).read(hash)).toBeUndefined();
  expect(await filesIn(folder)).toEqual([`${modelFolder('model')}/${hash.slice(0, 2)}/${hash}`]);
});

test('never trusts a damaged entry', async () => {
  const folder = await temporaryFolder();
  const cache = cacheIn(folder);
  await cache.write(hash, face);
  const [path] = await filesIn(folder);
  const bytes = await readFile(join(folder, path as string));
  bytes[60] = (bytes[60] as number) ^ 4;
  await writeFile(join(folder, path as string), bytes);
  expect(await cache.read(hash)).toBeUndefined();
  await cache.write(hash, face);
  expect(await cache.read(hash)).toEqual(face);
});

test('forgets a photo when told to, twice too', async () => {
  const folder = await temporaryFolder();
  const cache = cacheIn(folder);
  await cache.write(hash, face);
  await cache.remove(hash);
  await cache.remove(hash);
  expect(await filesIn(folder)).toEqual([]);
});

test('sweeps what nobody uses, and what a dying writer left, once it is old', async () => {
  const folder = await temporaryFolder();
  const used = sha256('used');
  const cache = cacheIn(folder, { now: () => Date.now() + SWEEP_GRACE_MS + 1_000 });
  for (const photo of [hash, used]) await cache.write(photo, face);
  await cache.writeIndex([[{ name: 'a.jpg', stamp: '1', photo: used, ...face }]]);
  const home = join(folder, modelFolder('model'));
  await writeFile(join(home, 'index.dead.tmp'), 'half');
  const future = Date.now() / 1_000 + 3_600;
  await writeFile(join(home, 'index.busy.tmp'), 'half');
  await utimes(join(home, 'index.busy.tmp'), future, future);

  await cacheIn(folder).sweep(() => false); // all of it is young yet
  expect(await filesIn(folder)).toHaveLength(5);
  await cache.sweep((photo) => photo === used);
  expect((await filesIn(home)).toSorted()).toEqual([`${used.slice(0, 2)}/${used}`, 'index', 'index.busy.tmp'].toSorted());
});

test('keeps an index, part by part, up to where it is damaged', async () => {
  const folder = await temporaryFolder();
  const cache = cacheIn(folder);
  const first = { name: 'a.jpg', stamp: '1', photo: hash, ...face };
  const second = { name: 'b.jpg', stamp: '2', photo: sha256('b'), faces: 0, descriptor: undefined };
  expect(await indexOf(cache)).toEqual([]);
  await cache.writeIndex([[first], [second]]);
  expect(await indexOf(cache)).toEqual([first, second]);

  const path = join(folder, modelFolder('model'), 'index');
  const whole = await readFile(path);
  await writeFile(path, whole.subarray(0, -1));
  expect(await indexOf(cache)).toEqual([first]);
  await writeFile(path, Buffer.concat([Buffer.from('x'), whole]));
  expect(await indexOf(cache)).toEqual([]);
});

test('goes on without a folder that cannot be used, and says so once', async () => {
  const folder = await temporaryFolder();
  const warnings: string[] = [];
  const log = silent.child({});
  log.warn = (...args: unknown[]) => void warnings.push(String(args[1]));
  await writeFile(join(folder, 'file'), '');
  const cache = cacheIn(join(folder, 'file'), { log });
  await cache.write(hash, face);
  expect(await cache.read(hash)).toBeUndefined();
  expect(await indexOf(cache)).toEqual([]);
  await cache.writeIndex([]);
  await cache.sweep(() => false);
  await cache.remove(hash);
  expect(warnings).toHaveLength(1);
});

test('models never share a folder, whatever they are called', () => {
  expect(modelFolder('a/b')).not.toBe(modelFolder('a_b'));
  expect(modelFolder('../../etc')).toMatch(/^[\w-]+$/);
  expect(modelFolder('dlib-resnet-v1')).toMatch(/^dlib-resnet-v1-/);
});

test('writes again when the folder was removed meanwhile', async () => {
  const folder = await temporaryFolder();
  const cache = cacheIn(folder);
  await cache.write(hash, face);
  await rm(folder, { recursive: true });
  await mkdir(folder);
  await cache.write(hash, face);
  expect(await cache.read(hash)).toEqual(face);
});
