import { expect, test } from 'vitest';
import { type CorrectedFace, keepCorrected } from '../src/keep-corrected.ts';
import { knownPhotosIn, readAnswer } from '../src/read-answer.ts';
import { fakeAnswer, fakeFace, originalAnswer } from './fakes.ts';

const OWNERS = new Map([
  ['hannibal_1.jpg', { id: 3, name: 'Hannibal' }],
  ['hannibal_2.jpg', { id: 3, name: 'Hannibal' }],
  ['john_1.jpg', { id: 5, name: 'John' }],
  ['ba_1.jpg', { id: 6, name: 'B.A.' }],
  ['murdock_1.jpg', { id: 9, name: 'Murdock' }],
]);
const ownerOf = (imageName: string) => OWNERS.get(imageName);
const thresholdOf = (model: string) => (model === 'fake' ? 0.5 : undefined);

function read(...faces: [string, number][][]) {
  return readAnswer(fakeAnswer(faces.map((face) => fakeFace(face))), ownerOf, thresholdOf);
}

test('the person of a photo is that of the face nearest to its known photo', () => {
  const reading = read([['john_1.jpg', 0.45]], [['hannibal_1.jpg', 0.3]]);

  expect(reading).toMatchObject({ outcome: 'match', person: 3, distance: 0.3, model: 'fake', galleryVersion: 7 });
  expect(reading.faces?.map(({ person }) => person)).toEqual([5, 3]);
});

test('faces that nobody is near to are unknown, and no faces are no_face', () => {
  expect(read([['john_1.jpg', 0.6]])).toMatchObject({ outcome: 'unknown', person: -1, distance: undefined });
  expect(read()).toMatchObject({ outcome: 'no_face', person: -1, faces: [] });
});

test('a face at the threshold is a match', () => {
  expect(read([['john_1.jpg', 0.5]])).toMatchObject({ outcome: 'match', person: 5 });
});

test('an unknown face keeps how near the nearest was', () => {
  expect(read([['john_1.jpg', 0.6]]).faces).toMatchObject([{ person: -1, imageName: undefined, distance: 0.6 }]);
});

test('a known photo that no person owns is passed over for the next one', () => {
  const reading = read([
    ['nobodys.jpg', 0.2],
    ['john_1.jpg', 0.4],
  ]);

  expect(reading).toMatchObject({ outcome: 'match', person: 5, distance: 0.4 });
  expect(reading.faces?.[0]?.candidates).toEqual([{ person: 5, imageName: 'john_1.jpg', distance: 0.4 }]);
});

test('where only photos that no person owns are near, nobody is known', () => {
  expect(
    read([
      ['nobodys.jpg', 0.2],
      ['john_1.jpg', 0.6],
    ]),
  ).toMatchObject({ outcome: 'unknown', person: -1 });
});

test('candidates are the nearest three people, each by their nearest photo', () => {
  const reading = read([
    ['hannibal_2.jpg', 0.2],
    ['hannibal_1.jpg', 0.3],
    ['john_1.jpg', 0.6],
    ['ba_1.jpg', 0.7],
    ['murdock_1.jpg', 0.8],
  ]);

  expect(reading.faces?.[0]?.candidates).toEqual([
    { person: 3, imageName: 'hannibal_2.jpg', distance: 0.2 },
    { person: 5, imageName: 'john_1.jpg', distance: 0.6 },
    { person: 6, imageName: 'ba_1.jpg', distance: 0.7 },
  ]);
});

test('two people nearly equally near: nobody is named, and both stand in the detail', () => {
  expect(
    read([
      ['hannibal_1.jpg', 0.4],
      ['john_1.jpg', 0.405],
    ]),
  ).toMatchObject({
    outcome: 'unknown',
    person: -1,
    detail: 'face 1 is as near to person 3 as to person 5',
  });
});

test('distances that travelled as float32 are written as they were meant', () => {
  expect(read([['john_1.jpg', Math.fround(0.41)]]).distance).toBe(0.41);
});

test('a box is written in whole pixels', () => {
  const face = { ...fakeFace([]), box: { x: 10.4, y: -0.2, width: 79.5, height: 80.49 } };
  const [written] = readAnswer(fakeAnswer([face]), ownerOf, thresholdOf).faces ?? [];
  expect(JSON.stringify(written?.box)).toBe('{"x":10,"y":0,"width":80,"height":80}');
});

test('where the threshold is not known, the match of the service counts', () => {
  const answer = { ...fakeAnswer([fakeFace([['john_1.jpg', 0.49]])]), model: 'another' };
  expect(readAnswer(answer, ownerOf, thresholdOf)).toMatchObject({ outcome: 'match', person: 5 });

  const unmatched = { ...fakeAnswer([fakeFace([['john_1.jpg', 0.51]])]), model: 'another' };
  expect(readAnswer(unmatched, ownerOf, thresholdOf)).toMatchObject({ outcome: 'unknown' });
});

test.each([
  ['somebody known', 'john_1.jpg', { outcome: 'match', person: 5 }],
  ['nobody', 'not_found', { outcome: 'unknown', person: -1 }],
  ['a photo of nobody', 'nobodys.jpg', { outcome: 'unknown', person: -1 }],
])('the original tells %s', (_name, imageName, expected) => {
  const answer = originalAnswer(imageName);
  if (answer.kind !== 'recognised') throw new Error('not recognised');

  expect(readAnswer(answer, ownerOf, thresholdOf)).toMatchObject({ ...expected, faces: undefined, model: undefined });
});

test('owners are looked up for every known photo that was named, once', () => {
  const answer = fakeAnswer([
    fakeFace([
      ['a.jpg', 0.1],
      ['b.jpg', 0.2],
    ]),
    fakeFace([['b.jpg', 0.1]]),
  ]);
  expect(knownPhotosIn(answer)).toEqual(['a.jpg', 'b.jpg']);

  expect(knownPhotosIn({ ...answer, faces: [], imageName: 'not_found' })).toEqual([]);
  expect(knownPhotosIn({ ...answer, faces: [], imageName: 'c.jpg' })).toEqual(['c.jpg']);
});

const BOX = { x: 0, y: 0, width: 10, height: 10 }; // that of the fakes
const ELSEWHERE = { x: 50, y: 50, width: 10, height: 10 };

function keep(corrected: CorrectedFace[], ...faces: [string, number][][]) {
  return keepCorrected(read(...faces), corrected);
}

test("a face that a hand has corrected is not found a second time, and its person is the photo's", () => {
  const kept = keep([{ position: 0, box: BOX, person: 9 }], [['john_1.jpg', 0.1]]);

  expect(kept).toMatchObject({ reading: { outcome: 'match', person: 9, distance: undefined }, faces: [], faceCount: 1 });
});

test('other faces take the positions that are free', () => {
  const kept = keep([{ position: 0, box: ELSEWHERE, person: -1 }], [['john_1.jpg', 0.1]], [['ba_1.jpg', 0.2]]);

  expect(kept.faces.map(({ position }) => position)).toEqual([1, 2]);
  expect(kept).toMatchObject({ reading: { outcome: 'match', person: 5, distance: 0.1 }, faceCount: 3 });
});

test('a face of which a hand has said that it is nobody does not name the photo', () => {
  expect(keep([{ position: 0, box: BOX, person: -1 }], [['john_1.jpg', 0.1]])).toMatchObject({
    reading: { outcome: 'unknown', person: -1 },
    faceCount: 1,
  });
});
