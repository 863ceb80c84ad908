import { expect, test } from 'vitest';
import { outcomeOf, statusOf, statusWord } from '../src/image-status.ts';

test.each([
  [0, 'pending'],
  [1, 'processed'],
  [2, 'failed'],
  [3, 'processing'],
] as const)('%d is %s, and back', (status, word) => {
  expect(statusWord(status)).toBe(word);
  expect(statusOf(word)).toBe(status);
});

test('a status that nobody defined reads as failed', () => {
  expect(statusWord(42)).toBe('failed');
});

test.each([
  ['pending has none', { status: 0, outcome: null, person: -1 }, null],
  ['a retry shows none while it waits', { status: 0, outcome: 'timeout', person: -1 }, null],
  ['processing has none', { status: 3, outcome: 'match', person: 4 }, null],
  ['ours stands as written', { status: 1, outcome: 'no_face', person: -1 }, 'no_face'],
  ["the original's match reads by its person", { status: 1, outcome: null, person: 2 }, 'match'],
  ["the original's stranger", { status: 1, outcome: null, person: -1 }, 'unknown'],
  ["the original's failure", { status: 2, outcome: null, person: -1 }, 'internal'],
] as const)('%s', (_, row, expected) => {
  expect(outcomeOf(row)).toBe(expected);
});
