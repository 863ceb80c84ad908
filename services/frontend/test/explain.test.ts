import { expect, test } from 'vitest';
import { explainFace, renderScale } from '../src/pages/explain.ts';
import type { Face } from '../src/photo-detail.ts';
import { candidate, fakeFace } from './fakes.ts';

const hannibal = { id: 3, name: 'Hannibal' };
const explain = (face: Face) =>
  explainFace(face, 0.535)
    .toString()
    .replace(/<[^>]*>/g, '');

test.each<[string, Partial<Face>, string]>([
  [
    'a match',
    { person: hannibal, candidates: [candidate('Hannibal', 0.4123)] },
    'The nearest known photo, of Hannibal, is 0.41 away. That is within the limit of 0.535, so it is the same person.',
  ],
  [
    'a narrow match',
    { person: hannibal, candidates: [candidate('Hannibal', 0.5341)] },
    'The nearest known photo, of Hannibal, is 0.534 away. That is within the limit of 0.535, so it is the same person.',
  ],
  [
    'a stranger',
    { candidates: [candidate('Hannibal', 0.62)] },
    'Even the nearest known photo, of Hannibal, is 0.62 away. That is beyond the limit of 0.535, so it is nobody known.',
  ],
  [
    'two look-alikes',
    { candidates: [candidate('Hannibal', 0.401), candidate('Murdock', 0.409, 4)] },
    'Hannibal and Murdock are equally near (0.40 and 0.41): a name would be a guess.',
  ],
  ['an empty gallery', {}, 'No known photo came near. Enrol this person, and later photos get the name.'],
  [
    'another limit then',
    { person: hannibal, candidates: [candidate('Hannibal', 0.58)] },
    'The nearest known photo, of Hannibal, is 0.58 away. The limit was wider when this was decided; now it is 0.535.',
  ],
  [
    'a name by hand',
    { person: hannibal, isCorrected: true, candidates: [candidate('Murdock', 0.3, 4)] },
    'Somebody set this name by hand; recognition leaves it alone.',
  ],
])('%s is explained', (_what, change, text) => {
  expect(explain(fakeFace(change))).toBe(text);
});

test('a distance beyond the scale stands at its end', () => {
  const scale = renderScale(1.4, 0.535).toString();
  expect(scale).toContain('cx="100.0%"');
  expect(scale).toContain('beyond the limit');
});
