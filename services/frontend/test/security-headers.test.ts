import { expect, test } from 'vitest';
import { receiverSource } from '../src/security-headers.ts';

test.each([
  [':8000', 'faces.example.org:8081', 'faces.example.org:8000'],
  [':8000', '10.0.0.1', '10.0.0.1:8000'],
  [':8000', '[::1]:8081', '*:8000'],
  [':8000', undefined, '*:8000'],
  [':8000', "a; script-src 'unsafe-inline'", '*:8000'],
  [':8000', 'a b', '*:8000'],
  ['https://r.example.org:444/api', 'faces.example.org', 'https://r.example.org:444'],
])('a receiver at %s is called from a page at %s as %s', (receiverUrl, host, source) => {
  expect(receiverSource(receiverUrl, host)).toBe(source);
});
