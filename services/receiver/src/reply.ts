import type { ServerResponse } from 'node:http';
import type { Reply } from './route.ts';

// Nothing here is to be framed, guessed at, run or kept.
const SECURITY = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'cross-origin-resource-policy': 'cross-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';

/** Text goes out as it is, everything else as JSON. */
export function send(response: ServerResponse, { status, body, headers }: Reply): void {
  const isText = typeof body === 'string';
  const text = isText ? body : JSON.stringify(body);
  response.writeHead(status, {
    'content-type': isText ? TEXT : JSON_TYPE,
    'content-length': Buffer.byteLength(text),
    ...SECURITY,
    ...headers,
  });
  response.end(text);
}
