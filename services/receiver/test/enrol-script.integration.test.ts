import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tempFolder } from '../../../test/harness/temp-folder.ts';
import { fakePhoto } from './fake-gallery.ts';
import { startWorld, type World } from './world.ts';

const SCRIPT = fileURLToPath(new URL('../../../scripts/enrol.mjs', import.meta.url));
let world: World;
let folder: string;

beforeAll(async () => {
  world = await startWorld();
  folder = tempFolder('people');
  for (const [index, name] of ['Ada Lovelace', 'Bo'].entries()) {
    await mkdir(join(folder, name));
    for (let n = 0; n < 11; n += 1)
      await writeFile(join(folder, name, `${n}.jpg`), fakePhoto([{ looks: index * 100 }], index * 100 + n));
  }
  await writeFile(join(folder, 'Bo', 'landscape.png'), fakePhoto([], 999));
  await writeFile(join(folder, 'Bo', 'notes.txt'), 'no photo');
});
afterAll(async () => {
  await world.close();
});

function enrol(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [SCRIPT, ...args], (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

test('enrols every subfolder as a person, and reports what was refused', async () => {
  const { code, stdout, stderr } = await enrol(folder, '--url', world.url);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^Ada Lovelace +11 +0 +0$/m);
  expect(stdout).toMatch(/^Bo +11 +0 +1$/m);
  expect(stdout).toMatch(/^total +22 +0 +1$/m);
  expect(stdout).toContain(`refused ${join(folder, 'Bo', 'landscape.png')}: no_face`);
  expect(stderr).toContain('23/23 photos');
  const { json } = await world.ask('GET', '/people');
  expect(json.people.map(({ name, imageCount }) => [name, imageCount]).toSorted()).toEqual([
    ['Ada Lovelace', 11],
    ['Bo', 11],
  ]);
});

test('may be run again: nothing is enrolled twice', async () => {
  await enrol(folder, '--url', world.url);
  const { stdout } = await enrol(folder, '--url', world.url, '--json');
  const statuses = (JSON.parse(stdout) as { photos: { status: string }[] }[]).flatMap(({ photos }) =>
    photos.map(({ status }) => status),
  );
  expect(statuses.filter((status) => status === 'already_enrolled')).toHaveLength(22);
  expect((await world.ask('GET', '/people')).json.people).toHaveLength(2);
});

test.each([
  ['no folder is given', [], 'usage'],
  ['the folder is not there', ['/nowhere'], 'ENOENT'],
  ['the receiver is not there', ['FOLDER', '--url', 'http://127.0.0.1:1'], 'does not answer'],
])('ends with 2 and says why when %s', async (_, args, message) => {
  const { code, stderr } = await enrol(...args.map((arg) => (arg === 'FOLDER' ? folder : arg)));
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});
