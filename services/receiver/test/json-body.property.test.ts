import fc from 'fast-check';
import { expect } from 'vitest';
import { property } from '../../../test/harness/property.ts';
import { ApiError } from '../src/api-error.ts';
import { faultOfText, onOneLine } from '../src/image-path.ts';
import { parseJson } from '../src/json-body.ts';

/** What the body is, or the refusal; anything else that is thrown is a fault of ours. */
function read(body: Uint8Array): unknown {
  try {
    return { value: parseJson(Buffer.from(body)) };
  } catch (error) {
    if (error instanceof ApiError && error.status === 400) return { refused: error.message };
    throw error;
  }
}

const text = fc.string({ unit: 'binary', maxLength: 300 });
const aboutAsLongAsAllowed = fc
  .tuple(fc.constantFrom('a', 'é', '€', '😀'), fc.nat(12))
  .map(([character, more]) => character.repeat(Math.floor(248 / Buffer.byteLength(character))) + 'a'.repeat(more));
// Bytes that look like JSON go deeper into the reader than bytes that do not.
const nearlyJson = fc
  .tuple(fc.json({ stringUnit: 'binary' }), fc.uint8Array({ maxLength: 6 }), fc.nat())
  .map(([json, bytes, at]) => {
    const whole = Buffer.from(json);
    const place = at % (whole.length + 1);
    return Buffer.concat([whole.subarray(0, place), bytes, whole.subarray(place)]);
  });

property(
  'whatever the bytes are, they are read or refused',
  [fc.oneof(fc.uint8Array({ maxLength: 500 }), nearlyJson)],
  (body) => {
    const result = read(body);
    if (typeof result === 'object' && result !== null && 'refused' in result)
      expect(result.refused).toBe(onOneLine(String(result.refused)));
  },
);

property('what is JSON is read as JSON.parse reads it', [fc.json({ stringUnit: 'grapheme', maxDepth: 10 })], (json) => {
  expect(read(Buffer.from(json))).toEqual({ value: JSON.parse(json) });
});

property(
  'however deep a body is nested, it is read or refused and never too much',
  [fc.nat(200), fc.constantFrom('[', '{"a":')],
  (depth, open) => {
    const body = `${open.repeat(depth)}0${(open === '[' ? ']' : '}').repeat(depth)}`;
    expect(read(Buffer.from(body))).toEqual(depth <= 32 ? { value: expect.anything() } : { refused: expect.any(String) });
  },
);

property(
  'bytes that are no UTF-8 spoil the path that they stand in, and no other',
  [fc.uint8Array({ minLength: 1, maxLength: 8 }), text],
  (bytes, other) => {
    fc.pre(bytes.every((byte) => byte >= 0x20 && byte !== 0x22 && byte !== 0x5c)); // JSON's own signs
    const body = Buffer.concat([Buffer.from('["'), bytes, Buffer.from(`",${JSON.stringify(other)}]`)]);
    const [spoilt, whole] = parseJson(body) as [string, string];
    const isUtf8 = Buffer.from(Buffer.from(bytes).toString()).equals(Buffer.from(bytes));
    expect(faultOfText(spoilt) === 'must be UTF-8').toBe(!isUtf8);
    expect(whole).toBe(JSON.parse(JSON.stringify(other)));
  },
);

property(
  'a path that is taken fits its column, one line, and UTF-8',
  [fc.oneof(text, fc.string({ unit: 'grapheme', maxLength: 300 }), aboutAsLongAsAllowed)],
  (path) => {
    const isRefused = faultOfText(path) !== undefined;
    const isFine = path !== '' && path.isWellFormed() && !/\p{Cc}/u.test(path) && Buffer.byteLength(path) <= 255;
    expect(isRefused).toBe(!isFine);
    expect(onOneLine(path)).not.toMatch(/[\r\n\u2028\u2029]/);
  },
);
