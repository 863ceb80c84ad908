import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { ApiError } from './api-error.ts';

export type AccessRules = {
  /** The bearer token that every request needs; undefined: none. */
  token: string | undefined;
  /** Origins of browsers; `:PORT` means the request's own host with that port. */
  allowedOrigins: readonly string[];
};

export type Access = {
  /** Whether the Origin, where there is one, may read our answers. */
  isAllowedOrigin(headers: IncomingHttpHeaders): boolean;
  /** Why the request is refused, if it is. */
  refusal(method: string, headers: IncomingHttpHeaders): ApiError | undefined;
};

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Who may ask: by bearer token, and, for browsers, by the page that asks. */
export function createAccess({ token, allowedOrigins }: AccessRules): Access {
  const expected = token === undefined ? undefined : digest(token);

  /** Digests have one length, so comparing them tells nothing of the token's. */
  function hasToken({ authorization = '' }: IncomingHttpHeaders): boolean {
    if (!expected) return true;
    const given = /^bearer +(\S+) *$/i.exec(authorization)?.[1];
    return timingSafeEqual(digest(given ?? ''), expected) && given !== undefined;
  }

  function isAllowedOrigin({ origin, host }: IncomingHttpHeaders): boolean {
    if (origin === undefined) return true;
    const page = URL.parse(origin);
    const own = URL.parse(`http://${host}`);
    if (!page || !own || page.origin !== origin) return false;
    if (page.host === own.host) return true; // our own pages
    const port = page.port || (page.protocol === 'https:' ? '443' : '80');
    return allowedOrigins.some((allowed) =>
      allowed.startsWith(':') ? page.hostname === own.hostname && `:${port}` === allowed : allowed === origin,
    );
  }

  return {
    isAllowedOrigin,
    refusal(method, headers) {
      if (!READING.has(method) && !isAllowedOrigin(headers)) {
        return new ApiError(403, 'origin_not_allowed', 'pages of this origin may not change anything here');
      }
      if (!hasToken(headers)) {
        return new ApiError(401, 'unauthorized', 'this needs the header Authorization: Bearer with the token');
      }
      return undefined;
    },
  };
}
