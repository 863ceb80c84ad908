import { OUTCOMES } from '@kube-face/shared-lib/image-status';
import { expect, test } from 'vitest';
import { count, formatDuration, OUTCOME_NAMES, outcomeAdvice, outcomeSentence, toneOf } from '../src/words.ts';

test('every outcome has words of its own, and every failure says what to do', () => {
  const sentences = OUTCOMES.map(outcomeSentence);
  expect(new Set(sentences).size).toBe(OUTCOMES.length);
  for (const outcome of OUTCOMES) {
    expect(outcomeSentence(outcome)).not.toContain('_');
    expect(OUTCOME_NAMES[outcome]).not.toContain('_');
    const isFailure = !['match', 'unknown', 'no_face'].includes(outcome);
    expect(outcomeAdvice(outcome) !== undefined).toBe(isFailure);
  }
  expect(outcomeSentence('missing_file')).toBe('The file is not in the photo folder');
});

test('an outcome that a later version wrote is shown as it is', () => {
  expect(outcomeSentence('moved')).toBe('moved');
});

test('only a recognised person is green', () => {
  expect([
    toneOf('processed', 'match'),
    toneOf('processed', 'unknown'),
    toneOf('failed', 'timeout'),
    toneOf('pending', null),
  ]).toEqual(['good', 'calm', 'bad', 'wait']);
});

test.each([
  [0, '0 ms'],
  [-3, '0 ms'],
  [999.4, '999 ms'],
  [1_000, '1.0 s'],
  [9_949, '9.9 s'],
  [9_951, '10 s'],
  [99_400, '99 s'],
  [120_000, '2 min'],
  [7_200_000, '2 h'],
  [172_800_000, '2 days'],
])('%d ms reads as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test('one is no plural, and thousands are parted', () => {
  expect([count(0, 'face'), count(1, 'face'), count(12_000, 'face')]).toEqual(['0 faces', '1 face', '12,000 faces']);
});
