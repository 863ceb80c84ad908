import { type Logger, silent } from '@kube-face/shared-lib/logger';
import { beforeEach, expect, test } from 'vitest';
import { createUnownedReport } from '../src/report-unowned.ts';

let logged: string[][];
let counted: number;
let owned: Set<string>;
let report: (known: readonly string[]) => void;

beforeEach(() => {
  logged = [];
  counted = 0;
  owned = new Set(['hannibal_1.jpg']);
  const log: Logger = Object.assign(Object.create(silent), {
    warn: ({ imageNames }: { imageNames: string[] }) => logged.push(imageNames),
  });
  const reportUnowned = createUnownedReport({ count: () => (counted += 1), log });
  report = (known) => reportUnowned(known, (imageName) => owned.has(imageName));
});

test('names what nobody owns, and counts the answers that named it', () => {
  report(['hannibal_1.jpg', 'a.jpg', 'b.jpg']);

  expect(logged).toEqual([['a.jpg', 'b.jpg']]);
  expect(counted).toBe(1);
});

test('says nothing where everything is owned', () => {
  report(['hannibal_1.jpg']);
  report([]);

  expect({ logged, counted }).toEqual({ logged: [], counted: 0 });
});

test('names a photo once, however many answers name it', () => {
  for (let answer = 0; answer < 5; answer += 1) report(['a.jpg']);
  report(['a.jpg', 'b.jpg']);

  expect(logged).toEqual([['a.jpg'], ['b.jpg']]);
  expect(counted).toBe(6);
});

test('names it again when it has lost its owner', () => {
  report(['a.jpg']);
  owned.add('a.jpg');
  report(['a.jpg']);
  owned.delete('a.jpg');
  report(['a.jpg']);

  expect(logged).toEqual([['a.jpg'], ['a.jpg']]);
});

test('forgets rather than grow without end', () => {
  for (let photo = 0; photo < 10_001; photo += 1) report([`${photo}.jpg`]);
  report(['0.jpg']);

  expect(logged.filter(([imageName]) => imageName === '0.jpg')).toHaveLength(2);
});
