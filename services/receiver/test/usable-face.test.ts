import type { ExaminedFaceMessage, ExaminedMessage } from '@kube-face/shared-lib/face-messages';
import { expect, test } from 'vitest';
import { MIN_FACE_PX, MIN_SHARPNESS, usableFace } from '../src/usable-face.ts';

function face(width: number, { sharpness = 100, cutByEdge = false } = {}): ExaminedFaceMessage {
  const box = { x: 0, y: 0, width, height: width };
  return {
    face: { box, score: 1, imageName: '', distance: 0, candidates: [], descriptor: Buffer.alloc(0) },
    sharpness,
    cutByEdge,
  };
}

function photo(...faces: ExaminedFaceMessage[]): ExaminedMessage {
  return { error: '', width: 500, height: 500, faces, model: 'fake' };
}

test('takes the one face', () => {
  const only = face(100);
  expect(usableFace(photo(only))).toBe(only);
});

test.each([
  ['a second face under half its width', face(49)],
  ['one that the edge cuts', face(90, { cutByEdge: true })],
])('%s is no rival', (_, second) => {
  const largest = face(100);
  expect(usableFace(photo(second, largest))).toBe(largest);
});

test.each([
  ['no face', photo(), 'no_face', 'no face'],
  ['a rival of half its width', photo(face(100), face(50)), 'several_faces', '2 faces that could be meant (100, 50 pixels wide)'],
  [
    'a small face',
    photo(face(MIN_FACE_PX - 1)),
    'face_too_small',
    `${MIN_FACE_PX - 1} pixels wide; it must have at least ${MIN_FACE_PX}`,
  ],
  [
    'a blurred face',
    photo(face(100, { sharpness: MIN_SHARPNESS - 0.5 })),
    'face_too_blurred',
    `${MIN_SHARPNESS - 0.5}; it must be`,
  ],
  ['what is no photo', { ...photo(), error: 'unreadable_image' }, 'unreadable_image', 'decoded'],
  ['too many pixels', { ...photo(), error: 'too_large' }, 'too_large', '50 megapixels'],
])('refuses %s, with the figures', (_, examined, code, message) => {
  expect(usableFace(examined)).toEqual({ code, message: expect.stringContaining(message) });
});

test('takes a face that just reaches the figures', () => {
  const least = face(MIN_FACE_PX, { sharpness: MIN_SHARPNESS });
  expect(usableFace(photo(least))).toBe(least);
});
