import fc from 'fast-check';
import { expect } from 'vitest';
import { property } from '../../../test/harness/property.ts';
import { decodeImageId, encodeImageId } from '../src/image-id.ts';
import { parseTraceparent } from '../src/tracing.ts';

property('every id comes back from its bytes', [fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })], (id) => {
  expect(decodeImageId(encodeImageId(id))).toBe(id);
});

const body = fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ minLength: 8, maxLength: 8 }));

property('whatever a message holds is an id that has exactly these bytes, or none', [body], (bytes) => {
  const id = decodeImageId(Buffer.from(bytes));
  if (id === undefined) return;
  expect(Number.isSafeInteger(id) && id > 0).toBe(true);
  expect(encodeImageId(id)).toEqual(Buffer.from(bytes));
});

const hexadecimal = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
const traceparent = fc.tuple(hexadecimal(2), hexadecimal(32), hexadecimal(16), hexadecimal(2)).map((parts) => parts.join('-'));

property("a stranger's trace context is taken whole or not at all", [fc.oneof(fc.string(), traceparent)], (text) => {
  const parsed = parseTraceparent(text);
  if (!parsed) return;
  expect(text).toBe(`00-${parsed.traceId}-${parsed.spanId}-${parsed.flags.toString(16).padStart(2, '0')}`);
});
