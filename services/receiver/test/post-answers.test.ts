import { expect, test } from 'vitest';
import { invalid } from '../src/api-error.ts';
import { jsonAnswer, namesJson, textAnswer, textOfError } from '../src/post-answers.ts';
import type { PostedImage } from '../src/submit-images.ts';

const saved: PostedImage = { id: 4, path: '/unknown_people/a.jpg', status: 'pending', queued: true };
const twice: PostedImage = { id: 4, path: 'a.jpg', status: 'pending', error: { code: 'already_posted', message: 'it exists' } };

test.each([
  ['application/json', true],
  ['text/html, application/json;q=0.9', true],
  ['Application/JSON', true],
  ['application/json;q=0', false],
  ['*/*', false],
  ['application/*', false],
  ['text/plain', false],
  [undefined, false],
])('an Accept of %s asks for JSON: %s', (accept, expected) => {
  expect(namesJson(accept === undefined ? {} : { accept })).toBe(expected);
});

test("answers one post with the original's three lines", () => {
  expect(textAnswer('image', { status: 200, images: [saved] })).toBe(
    'got path: {Path:/unknown_people/a.jpg}\nimage saved with id: 4\nimage sent to nsq\n',
  );
});

test("answers several with the original's lines, whatever becomes of each", () => {
  const images: PostedImage[] = [{ ...saved, path: 'a.jpg' }, { ...saved, id: 5, path: 'b.jpg', queued: false }, twice];
  expect(textAnswer('images', { status: 207, images })).toBe(
    [
      'got paths: {Paths:[{Path:a.jpg} {Path:b.jpg} {Path:a.jpg}]}',
      'image saved with id: 4',
      'image sent to nsq',
      'image saved with id: 5',
      'error while sending image to queue: nsqd has not acknowledged it; it will be sent later',
      'got error while saving image: it exists; moving on to next...',
      '',
    ].join('\n'),
  );
});

test('a path cannot forge a line', () => {
  const image: PostedImage = { path: 'a\nimage sent to nsq', error: { code: 'invalid_path', message: 'path is bad\nreally' } };
  expect(textAnswer('image', { status: 400, images: [image] }).split('\n')).toHaveLength(3);
});

test('names the field of a request that cannot be read', () => {
  expect(textOfError('image', invalid('path: must be text', [{ field: 'path', message: 'must be text' }]))).toBe(
    'got error while decoding body: path: must be text\n',
  );
});

test('answers in JSON what was taken', () => {
  expect(jsonAnswer('image', { status: 200, images: [saved] })).toEqual({ images: [saved] });
});

test('says for the whole request that everything was posted before, with the ids', () => {
  expect(jsonAnswer('images', { status: 409, images: [twice] })).toEqual({
    error: { code: 'already_posted', message: expect.any(String), details: [{ field: 'paths[0].path', message: 'it exists' }] },
    images: [twice],
  });
});

test.each([
  [1, 'no photo was taken: path is too long'],
  [3, 'no photo was taken: path is too long, and 2 more'],
])('where none of %d was taken, the message says why', (count, message) => {
  const refused: PostedImage = { path: 'x', error: { code: 'invalid_path', message: 'path is too long' } };
  const images = Array.from({ length: count }, () => refused);
  expect(jsonAnswer('images', { status: 400, images }).error).toMatchObject({ code: 'none_taken', message });
});
