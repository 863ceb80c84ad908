import type { RequestHandler } from 'express';

/** The receiver as a source in a Content-Security-Policy, for a page that was asked for at `host`. */
export function receiverSource(receiverUrl: string, host: string | undefined): string {
  if (!receiverUrl.startsWith(':')) return new URL(receiverUrl).origin;
  const [, name] = /^([A-Za-z0-9.-]+)(?::\d+)?$/.exec(host ?? '') ?? [];
  // Without a scheme it is the page's; an address in brackets (IPv6) cannot be written in a policy.
  return `${name ?? '*'}${receiverUrl}`;
}

/** What a browser may do with our answers: load from us, call the receiver, nothing else. */
export function securityHeaders({ receiverUrl }: { receiverUrl: string }): RequestHandler {
  return (request, response, next) => {
    response.setHeader(
      'content-security-policy',
      [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        `connect-src 'self' ${receiverSource(receiverUrl, request.headers.host)}`,
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
      ].join('; '),
    );
    response.setHeader('x-content-type-options', 'nosniff');
    response.setHeader('x-frame-options', 'DENY');
    response.setHeader('referrer-policy', 'same-origin');
    response.setHeader('cross-origin-opener-policy', 'same-origin');
    response.setHeader('cross-origin-resource-policy', 'same-origin');
    response.setHeader('permissions-policy', 'camera=(), geolocation=(), microphone=()');
    next();
  };
}
