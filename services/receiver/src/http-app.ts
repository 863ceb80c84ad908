import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Logger } from '@kube-face/shared-lib/logger';
import { parseTraceparent, type StartSpan, untraced } from '@kube-face/shared-lib/tracing';
import express, { type ErrorRequestHandler } from 'express';
import type { z } from 'zod';
import { allowed } from './allowed.ts';
import { ApiError, invalid, toApiError } from './api-error.ts';
import type { Idempotency } from './idempotency.ts';
import { discardBody, parseJson, readBody } from './json-body.ts';
import { send } from './reply.ts';
import type { Once, Reply, Route } from './route.ts';

export type HttpAppOptions = {
  routes: readonly Route[];
  idempotency: Pick<Idempotency, 'once'>;
  log: Logger;
  tracer?: StartSpan;
  /** Told of every request that was answered. */
  onAnswered: (method: string, route: string, status: number, seconds: number) => void;
};

export type HttpApp = {
  listener: RequestListener;
  /** Answers a request that is not let in. */
  refuse: (request: IncomingMessage, response: ServerResponse, error: ApiError) => void;
};

/** The API as an express application that is not listening yet. */
export function createHttpApp({ routes, idempotency, log, tracer = untraced, onAnswered }: HttpAppOptions): HttpApp {
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', 'simple').set('case sensitive routing', true);

  function answerError(
    one: Route | undefined,
    request: IncomingMessage,
    response: ServerResponse,
    cause: unknown,
    traceId?: string,
  ): void {
    const error = toApiError(cause);
    if (error.status === 503)
      log.warn({ url: request.url, code: error.code, reason: reasonOf(error), traceId }, 'refused for now');
    else if (error.status >= 500) log.error({ error, url: request.url, traceId }, 'request failed');
    if (!request.complete) discardBody(request);
    if (response.headersSent) return void response.destroy();
    const reply = one?.renderError?.(error, request) ?? jsonError(error);
    const retry: Record<string, string> =
      error.retryAfterSeconds === undefined ? {} : { 'retry-after': String(error.retryAfterSeconds) };
    const challenge: Record<string, string> = error.status === 401 ? { 'www-authenticate': 'Bearer' } : {};
    send(response, { ...reply, headers: { ...reply.headers, ...retry, ...challenge } });
  }

  async function serve(one: Route, request: IncomingMessage, response: ServerResponse, params: unknown, query: unknown) {
    const startedAt = performance.now();
    const parent = traceParentOf(request);
    const method = one.method.toUpperCase();
    const attributes = { 'http.request.method': method, 'http.route': one.path };
    await tracer.span(`${method} ${one.path}`, { parent, kind: 'server', attributes }, async (span) => {
      try {
        send(response, await answer(one, request, params, query, span.traceparent ?? parent));
      } catch (error) {
        answerError(one, request, response, error, span.traceId);
      }
      span.setAttributes({ 'http.response.status_code': response.statusCode });
    });
    onAnswered(one.method, one.path, response.statusCode, (performance.now() - startedAt) / 1_000);
  }

  async function answer(
    one: Route,
    request: IncomingMessage,
    params: unknown,
    query: unknown,
    traceParent: string | undefined,
  ): Promise<Reply> {
    const key = request.headers['idempotency-key'];
    const identity = [one.method, request.url ?? '', request.headers.accept ?? ''];
    const once: Once = (content, work) =>
      typeof key === 'string' && one.method === 'post' ? idempotency.once(key, [...identity, ...content], work) : work(undefined);
    const checked = { params: one.params && check(one.params, params, ''), query: one.query && check(one.query, query, '') };
    if (!one.body) return one.handle({ ...checked, body: undefined, request, once, traceParent, token: undefined });
    const bytes = await readBody(request);
    const body = check(one.body, parseJson(bytes), 'body');
    return once([bytes], async (token) => one.handle({ ...checked, body, request, once, traceParent, token }));
  }

  // Addresses without parameters first: /images/retry is no photo.
  const byPath = [...Map.groupBy(routes, (one) => one.path)].toSorted(
    ([a], [b]) => Number(a.includes('{')) - Number(b.includes('{')),
  );
  for (const [path, ofPath] of byPath) {
    for (const one of ofPath) {
      app[one.method](expressPath(path), (request, response) => serve(one, request, response, request.params, request.query));
    }
    const allow = ofPath.flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : method.toUpperCase())).join(', ');
    app.all(expressPath(path), (_request, response) => {
      response.setHeader('allow', allow);
      throw new ApiError(405, 'method_not_allowed', `allowed: ${allow}`);
    });
  }
  app.use(() => {
    throw new ApiError(404, 'no_such_route', 'there is no such address; GET /openapi.json lists them');
  });
  const lastResort: ErrorRequestHandler = (error, request, response, _next) => {
    answerError(undefined, request, response, isMalformedUrl(error) ? invalid('the address is not well-formed') : error);
    onAnswered(request.method.toLowerCase(), 'other', response.statusCode, 0);
  };
  app.use(lastResort);

  // The busiest route goes past the router, which costs as much as all the rest of a request.
  const hot = new Map(
    routes.filter(({ method, path }) => method === 'post' && !path.includes('{')).map((one) => [one.path, one]),
  );

  return {
    listener(request, response) {
      const one = request.method === 'POST' ? hot.get(request.url ?? '') : undefined;
      if (one) void serve(one, request, response, {}, {});
      else app(request, response);
    },
    refuse(request, response, error) {
      answerError(hot.get(request.url?.split('?', 1)[0] ?? ''), request, response, error);
      onAnswered(request.method?.toLowerCase() ?? '', 'refused', error.status, 0);
    },
  };
}

/** The context that the client sends, where it is one. */
function traceParentOf({ headers: { traceparent } }: IncomingMessage): string | undefined {
  return typeof traceparent === 'string' && parseTraceparent(traceparent) ? traceparent : undefined;
}

/** What the schema makes of the value. Throws 400 that names every field. */
function check(schema: z.ZodType, value: unknown, whole: string): unknown {
  const result = schema.safeParse(value, { error: allowed });
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

function expressPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

function isMalformedUrl(error: unknown): boolean {
  return error instanceof URIError || (error instanceof Error && 'status' in error && error.status === 400);
}
