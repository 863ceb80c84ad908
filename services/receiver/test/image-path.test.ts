import { expect, test } from 'vitest';
import { faultOfText, onOneLine } from '../src/image-path.ts';

test.each([
  ['one byte', 'a'],
  ['255 bytes', 'a'.repeat(255)],
  ['255 bytes in 85 characters of three', '\u20ac'.repeat(85)],
  ['a character beyond the first plane', '\u{1f600}.jpg'],
  ['blanks, quotes and backslashes', ' a\'b"c\\d '],
  ['a replacement character that was meant', '\ufffd.jpg'],
])('takes %s', (_, path) => {
  expect(faultOfText(path)).toBeUndefined();
});

test.each([
  ['nothing', '', 'must not be empty'],
  ['256 bytes', 'a'.repeat(256), 'at most 255 bytes of UTF-8 (it has 256)'],
  ['256 bytes in 128 characters', 'é'.repeat(128), 'at most 255 bytes of UTF-8 (it has 256)'],
  ['a line break', 'a\nb', 'control characters'],
  ['a zero byte', 'a\0b', 'control characters'],
  ['a delete', 'a\u007f', 'control characters'],
  ['a C1 control character', 'a\u0085', 'control characters'],
  ['half of a surrogate pair', 'a\ud83d', 'must be UTF-8'],
])('refuses %s', (_, path, fault) => {
  expect(faultOfText(path)).toContain(fault);
});

test('shows text on one line', () => {
  expect(onOneLine('a\r\nimage saved with id: 1\u2028b')).toBe('a\\u000d\\u000aimage saved with id: 1\\u2028b');
});
