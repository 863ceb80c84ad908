import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '@kube-face/shared-lib/logger';
import express, { type ErrorRequestHandler, type Express } from 'express';
import type { z } from 'zod';
import { ApiError, invalid, toApiError } from './api-error.ts';
import { parseJson, readBody } from './json-body.ts';
import type { Reply, Route } from './route.ts';

export type HttpAppOptions = {
  routes: readonly Route[];
  log: Logger;
};

/** The API as an express application that is not listening yet. */
export function createHttpApp({ routes, log }: HttpAppOptions): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', 'simple');

  for (const one of routes) {
    app[one.method](expressPath(one.path), async (request, response) => {
      try {
        send(response, await answer(one, request, request.params, request.query));
      } catch (error) {
        sendError(one, request, response, error);
      }
    });
  }
  for (const [path, ofPath] of Map.groupBy(routes, (one) => one.path)) {
    const allow = ofPath.map(({ method }) => method.toUpperCase()).join(', ');
    app.all(expressPath(path), () => {
      throw new MethodNotAllowed(allow);
    });
  }
  app.use(() => {
    throw new ApiError(404, 'no_such_route', 'there is no such address; GET /openapi.json lists them');
  });
  const lastResort: ErrorRequestHandler = (error, request, response, _next) => {
    if (error instanceof MethodNotAllowed) response.setHeader('allow', error.allow);
    sendError(undefined, request, response, isMalformedUrl(error) ? invalid('the address is not well-formed') : error);
  };
  app.use(lastResort);

  function sendError(one: Route | undefined, request: IncomingMessage, response: ServerResponse, cause: unknown): void {
    const error = toApiError(cause);
    if (error.status === 503) log.warn({ url: request.url, code: error.code, reason: reasonOf(error) }, 'refused for now');
    else if (error.status >= 500) log.error({ error, url: request.url }, 'request failed');
    if (response.headersSent) return void response.destroy();
    const reply = one?.renderError?.(error, request) ?? jsonError(error);
    const retry: Record<string, string> =
      error.retryAfterSeconds === undefined ? {} : { 'retry-after': String(error.retryAfterSeconds) };
    send(response, { ...reply, headers: { ...reply.headers, ...retry } });
  }

  return app;
}

class MethodNotAllowed extends ApiError {
  readonly allow: string;

  constructor(allow: string) {
    super(405, 'method_not_allowed', `allowed: ${allow}`);
    this.allow = allow;
  }
}

async function answer(one: Route, request: IncomingMessage, params: unknown, query: unknown): Promise<Reply> {
  const input = {
    params: one.params && check(one.params, params, ''),
    query: one.query && check(one.query, query, ''),
    body: one.body && check(one.body, parseJson(await readBody(request)), 'body'),
    request,
  };
  return one.handle(input);
}

/** What the schema makes of the value. Throws 400 that names every field. */
function check(schema: z.ZodType, value: unknown, whole: string): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const details = result.error.issues.map(({ path, message }) => ({ field: fieldName(path) || whole, message }));
  throw invalid(details.map(({ field, message }) => `${field}: ${message}`).join('; '), details);
}

/** `paths[3].path` */
function fieldName(path: readonly PropertyKey[]): string {
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${String(part)}`)).join('');
}

/** The innermost cause, in words. */
function reasonOf(error: Error): string {
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
}

function jsonError({ status, code, message, details }: ApiError): Reply {
  return { status, body: { error: { code, message, details } } };
}

/** Text goes out as it is, everything else as JSON. */
export function send(response: ServerResponse, { status, body, headers }: Reply): void {
  const isText = typeof body === 'string';
  const bytes = Buffer.from(isText ? body : JSON.stringify(body));
  response.writeHead(status, {
    'content-type': isText ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8',
    'content-length': bytes.length,
    ...headers,
  });
  response.end(bytes);
}

function expressPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

function isMalformedUrl(error: unknown): boolean {
  return error instanceof URIError || (error instanceof Error && 'status' in error && error.status === 400);
}
