import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { vitestArgs } from '../test.ts';

const ROOT = join(import.meta.dirname, '../..');
const run = (...args: string[]) =>
  spawnSync(process.execPath, ['scripts/with-pnpm.mjs', ...args], { cwd: ROOT, encoding: 'utf8' });

test('an unknown name is answered with those that there are', () => {
  const { status, stderr } = run('strat');
  expect(status).toBe(2);
  expect(stderr).toContain('there is no script "strat"; there are start, test, check');
});

test.each([
  ['', '--project=unit --project=integration --project=browser'],
  ['unit', '--project=unit'],
  ['integration browser', '--project=integration --project=browser'],
  ['integration test/journey.test.ts -t name', '--project=integration test/journey.test.ts -t name'],
  ['unit property', '--project=unit property'],
  ['test/unit', '--project=unit --project=integration --project=browser test/unit'],
])('`npm test -- %s` runs %s', (given, told) => {
  expect(vitestArgs(given.split(' ').filter(Boolean)).join(' ')).toBe(told);
});

test('every npm script goes through it, under its own name', () => {
  const scripts = Object.entries(manifest.scripts);
  expect(scripts.map(([, command]) => command)).toEqual(scripts.map(([name]) => `exec node scripts/with-pnpm.mjs ${name}`));
  const { stderr } = run('');
  const known = stderr.split('there are ')[1]?.trim().split(', ') ?? [];
  expect(known.toSorted()).toEqual(scripts.map(([name]) => name).toSorted());
});
