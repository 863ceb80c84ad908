import { expect, test } from 'vitest';
import { MARGIN, nameFace } from '../src/name-face.ts';

const OWNERS = new Map([
  ['hannibal_1.jpg', { id: 3, name: 'Hannibal' }],
  ['hannibal_2.jpg', { id: 3, name: 'Hannibal' }],
  ['john_1.jpg', { id: 5, name: 'John' }],
]);

function name(near: [imageName: string, distance: number][], margin = MARGIN) {
  const candidates = near.map(([imageName, distance]) => ({ imageName, distance }));
  return nameFace(candidates, (imageName) => OWNERS.get(imageName), 0.5, margin);
}

test('the nearest photo at or under the threshold names the face', () => {
  expect(
    name([
      ['john_1.jpg', 0.5],
      ['hannibal_1.jpg', 0.7],
    ]).match,
  ).toEqual({ person: 5, imageName: 'john_1.jpg', distance: 0.5 });
  expect(name([['john_1.jpg', 0.5001]]).match).toBeUndefined();
  expect(name([]).match).toBeUndefined();
});

test('order does not decide, distance does', () => {
  expect(
    name([
      ['john_1.jpg', 0.4],
      ['hannibal_1.jpg', 0.3],
    ]).match?.person,
  ).toBe(3);
});

test('two photos of one person are no tie', () => {
  expect(
    name([
      ['hannibal_1.jpg', 0.3],
      ['hannibal_2.jpg', 0.3],
    ]).match?.person,
  ).toBe(3);
});

test('two people within the margin are a tie, at the margin they are not', () => {
  const tie = name([
    ['hannibal_1.jpg', 0.3],
    ['john_1.jpg', 0.3 + MARGIN / 2],
  ]);
  expect(tie).toMatchObject({ match: undefined, lookAlikes: [3, 5] });
  expect(tie.candidates).toHaveLength(2);

  expect(
    name(
      [
        ['hannibal_1.jpg', 0.25],
        ['john_1.jpg', 0.5],
      ],
      0.25,
    ).match?.person,
  ).toBe(3);
});

test('whoever is beyond the threshold makes no tie', () => {
  expect(
    name([
      ['hannibal_1.jpg', 0.499],
      ['john_1.jpg', 0.501],
    ]).match?.person,
  ).toBe(3);
});

test('without a margin only the same distance would be left to chance', () => {
  expect(
    name(
      [
        ['hannibal_1.jpg', 0.3],
        ['john_1.jpg', 0.3001],
      ],
      0,
    ).match?.person,
  ).toBe(3);
});
