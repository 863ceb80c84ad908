import { expect, test } from 'vitest';
import { createAdmission } from '../src/admission.ts';
import { createSearchIndex } from '../src/gallery/search-index.ts';
import { createIdentifyPhoto } from '../src/identify-photo.ts';
import { FolderAwayError } from '../src/photo-file.ts';
import { FAKE_MODEL, fakeEngine, photoOf } from './fakes.ts';

const never = new AbortController().signal;

/** Photos by path; known people by file name. */
function identifier({
  photos = {},
  known = {},
  engine = fakeEngine(),
  queueLimit = 8,
}: {
  photos?: Record<string, string>;
  known?: Record<string, number[]>;
  engine?: ReturnType<typeof fakeEngine>;
  queueLimit?: number;
}) {
  const index = createSearchIndex(FAKE_MODEL);
  for (const [name, descriptor] of Object.entries(known)) index.put(name, Float32Array.from(descriptor));
  return createIdentifyPhoto({
    readPhoto: async (path) => {
      const photo = photos[path];
      if (photo === 'EIO') throw new Error('i/o error');
      if (photo === 'AWAY') throw new FolderAwayError('the folder is away');
      return photo === undefined
        ? { failure: 'missing_file', detail: 'no such file' }
        : { bytes: Uint8Array.from(Buffer.from(photo)) };
    },
    admission: createAdmission({ slots: 1, queueLimit }),
    engine,
    search: {
      search: async (packed) => ({
        version: 7,
        judged: Array.from({ length: packed.length / 4 }, (_, i) => index.nearest(packed.subarray(i * 4, i * 4 + 4))),
      }),
    },
    threshold: 0.5,
    photoTimeoutMs: 1_000,
  });
}

const known = { 'anna.jpg': [0, 0, 0, 0], 'bert.jpg': [1, 0, 0, 0], 'bert_2.jpg': [1, 0.25, 0, 0] };

test('names the nearest known photo of each face, and the best match for the photo', async () => {
  const identify = identifier({ known, photos: { 'a.jpg': photoOf([0.375, 0, 0, 0], [1, 0.125, 0, 0.0625], [9, 9, 9, 9]) } });
  const result = await identify('a.jpg', never);
  expect(result).toMatchObject({
    identified: { outcome: 'match', match: { name: 'bert.jpg' }, galleryVersion: 7, timings: { decode: 1 } },
  });
  if (!('identified' in result)) throw new Error('not identified');
  expect(result.identified.faces.map(({ match }) => match?.name)).toEqual(['anna.jpg', 'bert.jpg', undefined]);
  expect(result.identified.faces[2]?.candidates.map(({ name }) => name)).toEqual(['bert_2.jpg', 'bert.jpg', 'anna.jpg']);
});

test('a distance at the threshold is a match, one just above is not', async () => {
  const photos = { 'at.jpg': photoOf([0, 0.5, 0, 0]), 'above.jpg': photoOf([0, 0.5001, 0, 0]) };
  const identify = identifier({ known: { 'anna.jpg': [0, 0, 0, 0] }, photos });
  expect(await identify('at.jpg', never)).toMatchObject({ identified: { outcome: 'match' } });
  expect(await identify('above.jpg', never)).toMatchObject({ identified: { outcome: 'unknown', match: undefined } });
});

test('faces that nobody knows are unknown, and a photo without one has no face', async () => {
  const identify = identifier({ photos: { 'stranger.jpg': photoOf([1, 1, 1, 1]), 'wall.jpg': photoOf() } });
  expect(await identify('stranger.jpg', never)).toMatchObject({
    identified: { outcome: 'unknown', faces: [{ candidates: [] }] },
  });
  expect(await identify('wall.jpg', never)).toMatchObject({ identified: { outcome: 'no_face', faces: [] } });
});

test.each([
  ['missing.jpg', 'missing_file', false],
  ['text.jpg', 'unreadable_image', true],
  ['crash.jpg', 'internal', true],
  ['timeout.jpg', 'timeout', true],
  ['disk.jpg', 'internal', true],
])('%s ends as %s; begun: %s', async (path, outcome, began) => {
  const photos = { 'text.jpg': 'hello', 'crash.jpg': '"crash"', 'timeout.jpg': '"timeout"', 'disk.jpg': 'EIO' };
  let begun = false;
  const result = await identifier({ photos })(path, never, () => {
    begun = true;
  });
  expect(result).toMatchObject({ failed: { outcome, began } });
  expect(begun).toBe(began);
});

test('an engine that closes is not the photo’s attempt', async () => {
  const engine = fakeEngine();
  await engine.close();
  const result = await identifier({ engine, photos: { 'a.jpg': photoOf() } })('a.jpg', never);
  expect(result).toMatchObject({ failed: { outcome: 'backend_unavailable', began: false } });
});

test('a volume that is away is no photo’s attempt, however long it takes', async () => {
  expect(await identifier({ photos: { 'a.jpg': 'AWAY' } })('a.jpg', never)).toMatchObject({
    failed: { outcome: 'backend_unavailable', began: false },
  });
});

test('is busy when the queue is full, and a photo given up in the queue is never begun', async () => {
  const engine = fakeEngine();
  const release = engine.hold();
  const photos = { 'a.jpg': photoOf(), 'b.jpg': photoOf([1, 1, 1, 1]) };
  const identify = identifier({ engine, photos, queueLimit: 1 });
  const first = identify('a.jpg', never);
  const given = new AbortController();
  const second = identify('b.jpg', given.signal);
  expect(await identify('b.jpg', never)).toEqual({ busy: true });
  given.abort(new Error('given up'));
  await expect(second).rejects.toThrow('given up');
  release();
  expect(await first).toMatchObject({ identified: { outcome: 'no_face' } });
  expect(engine.begun).toEqual([photoOf()]);
});
