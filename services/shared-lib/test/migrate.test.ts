import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseMigrations } from '../src/migrate.ts';

test('reads each statement with the guard above it', () => {
  const text = [
    '-- words; with a semicolon',
    '-- @always',
    'update images set person = -1 where person is null;',
    '-- @unless column images.outcome',
    'alter table images',
    '  add column outcome int;',
    '-- @unless collation images.path = utf8mb4_bin',
    'alter table images modify path int;',
  ].join('\n');
  expect(parseMigrations(text)).toEqual([
    { guard: { kind: 'always' }, sql: 'update images set person = -1 where person is null' },
    { guard: { kind: 'column', table: 'images', column: 'outcome' }, sql: 'alter table images\n  add column outcome int' },
    {
      guard: { kind: 'collation', table: 'images', column: 'path', collation: 'utf8mb4_bin' },
      sql: 'alter table images modify path int',
    },
  ]);
});

test.each(['alter table images add x int;', '-- @unless images.x\nalter table images add x int;'])('refuses %j', (text) => {
  expect(() => parseMigrations(text)).toThrow(/guard/);
});

test('every released statement has a guard', () => {
  const released = readFileSync(new URL('../../../db/migrations.sql', import.meta.url), 'utf8');
  expect(parseMigrations(released).length).toBeGreaterThan(10);
});
