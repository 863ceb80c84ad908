import { expect, test } from 'vitest';
import type { SubmittedImage } from '../src/group-commit.ts';
import type { NewImage } from '../src/image-writer.ts';
import { submitImages } from '../src/submit-images.ts';

/** Saves everything but these paths, which have ids already. */
function commits(existing: Record<string, number> = {}, isQueued = true) {
  const saved: NewImage[] = [];
  return {
    saved,
    submit: async (images: readonly NewImage[]): Promise<SubmittedImage[]> =>
      images.map((image) => {
        const id = existing[image.path];
        if (id !== undefined) return { id, isNew: false, path: image.path, status: 1, isQueued: true };
        saved.push(image);
        return { id: 100 + saved.length, isNew: true, isQueued };
      }),
  };
}

const paths = (...list: string[]) => list.map((path) => ({ path }));

test('takes photos in order', async () => {
  expect(await submitImages(commits(), paths('a.jpg', 'A.jpg'))).toEqual({
    status: 200,
    images: [
      { id: 101, path: 'a.jpg', status: 'pending', queued: true },
      { id: 102, path: 'A.jpg', status: 'pending', queued: true },
    ],
  });
});

test('says so where a photo is saved but not queued', async () => {
  expect(await submitImages(commits({}, false), paths('a.jpg'))).toMatchObject({ status: 200, images: [{ queued: false }] });
});

test('one bad entry does not stop the others', async () => {
  const entries = [{ path: 'a.jpg' }, { path: 5 }, {}, null, 'b.jpg', ['c.jpg'], { path: 'x\n' }, { path: 'd.jpg', more: 1 }];
  const { status, images } = await submitImages(commits(), entries);
  expect(status).toBe(207);
  expect(images.map(({ id }) => id)).toEqual([101, undefined, undefined, undefined, undefined, undefined, undefined, 102]);
  expect(images.map(({ error }) => error?.message)).toEqual([
    undefined,
    'path must be text',
    'has no field "path"',
    'must be an object with a field "path"',
    'must be an object with a field "path"',
    'must be an object with a field "path"',
    'path must not contain control characters',
    undefined,
  ]);
});

test('a path that stands twice is an error of the second', async () => {
  const { status, images } = await submitImages(commits(), paths('a.jpg', 'a.jpg'));
  expect(status).toBe(207);
  expect(images).toMatchObject([{ id: 101 }, { error: { code: 'repeated_in_request' } }]);
});

test('answers with the id of what was posted before', async () => {
  const { status, images } = await submitImages(commits({ 'a.jpg': 7 }), paths('a.jpg', 'b.jpg'));
  expect(status).toBe(207);
  expect(images).toMatchObject([{ id: 7, status: 'processed', error: { code: 'already_posted' } }, { id: 101 }]);
});

test.each([
  ['409 where everything was posted before', paths('a.jpg', 'b.jpg'), 409],
  ['409 where the same one stands twice', paths('a.jpg', 'a.jpg'), 409],
  ['400 where something is wrong besides', [{ path: 'a.jpg' }, { path: '' }], 400],
])('is %s', async (_, entries, expected) => {
  expect((await submitImages(commits({ 'a.jpg': 7, 'b.jpg': 8 }), entries)).status).toBe(expected);
});

test.each([
  ['none', 0],
  ['more than 10,000', 10_001],
])('refuses a request with %s', async (_, length) => {
  const { saved, submit } = commits();
  await expect(submitImages({ submit }, Array(length).fill({ path: 'a' }))).rejects.toMatchObject({ status: 400 });
  expect(saved).toEqual([]);
});

test('takes 10,000', async () => {
  const entries = Array.from({ length: 10_000 }, (_, index) => ({ path: `${index}.jpg` }));
  expect((await submitImages(commits(), entries)).status).toBe(200);
});
