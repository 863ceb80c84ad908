import { expect, test } from 'vitest';
import { z } from 'zod';
import { allowed } from '../src/allowed.ts';
import { idParameter, limitParameter } from '../src/schemas.ts';

test.each([
  [z.string(), 5, 'must be text'],
  [z.number(), '5', 'must be a number'],
  [z.int(), 1.5, 'must be a whole number'],
  [z.boolean(), 1, 'must be true or false'],
  [z.array(z.unknown()), {}, 'must be a list'],
  [z.object({}), null, 'must be an object'],
  [z.enum(['a', 'b']), 'c', 'must be one of a, b'],
  [z.string().min(1), '', 'must not be empty'],
  [z.string().max(2), 'abc', 'must have at most 2 characters'],
  [z.array(z.unknown()).min(1), [], 'must have at least 1 entries'],
  [z.array(z.unknown()).max(1), [1, 2], 'must have at most 1 entries'],
  [z.number().gt(0), 0, 'must be above 0'],
  [idParameter, '0', 'must be at least 1'],
  [idParameter, 'x', 'must be a number'],
  [limitParameter(1, 5), '6', 'must be at most 5'],
  [z.union([z.string(), z.number()], 'must be this or that'), null, 'must be this or that'],
])('says what is allowed: %#', (schema, value, message) => {
  expect(schema.safeParse(value, { error: allowed }).error?.issues).toMatchObject([{ message }]);
});

test('leaves to zod what it has no word for', () => {
  const { error } = z.iso.datetime().safeParse('yesterday', { error: allowed });
  expect(error?.issues[0]?.message).toMatch(/invalid/i);
});
