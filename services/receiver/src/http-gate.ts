import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Access } from './access.ts';
import type { ApiError } from './api-error.ts';
import type { Limits } from './limits.ts';

export type GateOptions = {
  access: Access;
  limits: Limits;
  /** Who answers what the gate lets in. */
  listener: RequestListener;
  refuse: (request: IncomingMessage, response: ServerResponse, error: ApiError) => void;
};

const PREFLIGHT = {
  'access-control-allow-methods': 'GET, POST, PATCH, DELETE',
  'access-control-allow-headers': 'accept, authorization, content-type, idempotency-key, traceparent',
  'access-control-max-age': '600',
  'content-length': '0',
} as const;

/** Looks at every request first: who asks, from which page, and whether there is room. */
export function createGate({ access, limits, listener, refuse }: GateOptions): RequestListener {
  return (request, response) => {
    const { method = '', headers } = request;
    if (headers.origin !== undefined) {
      response.setHeader('vary', 'origin');
      if (access.isAllowedOrigin(headers)) {
        response.setHeader('access-control-allow-origin', headers.origin);
        response.setHeader('access-control-expose-headers', 'retry-after, location, idempotency-replayed');
      }
      if (method === 'OPTIONS' && headers['access-control-request-method'] !== undefined) {
        return void response.writeHead(access.isAllowedOrigin(headers) ? 204 : 403, PREFLIGHT).end();
      }
    }
    const refusal = access.refusal(method, headers) ?? limits.enter(request.socket.remoteAddress ?? '');
    if (refusal) return refuse(request, response, refusal);
    response.on('close', limits.leave);
    listener(request, response);
  };
}
