import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import type { ApiError } from './api-error.ts';

export type Reply = { status: number; body: unknown; headers?: Readonly<Record<string, string>> };

type Parsed<S> = S extends z.ZodType ? z.output<S> : undefined;

/**
 * Does the work of a request, once where it has an Idempotency-Key. `content` is what the request asks for. The token that the
 * work is given is the key's own, or undefined where there is none.
 */
export type Once = (content: readonly (string | Buffer)[], work: (token: Buffer | undefined) => Promise<Reply>) => Promise<Reply>;

export type RouteRequest<P, Q, B> = {
  params: Parsed<P>;
  query: Parsed<Q>;
  body: Parsed<B>;
  request: IncomingMessage;
  /** For routes that read their body themselves; those with a checked body run once already. */
  once: Once;
  /** Context of the trace that the request belongs to, W3C `traceparent`; undefined: none. */
  traceParent: string | undefined;
  token: Buffer | undefined;
};

/** What an answer of one status looks like: JSON of a schema, or text of a type. */
export type Described = { description: string; schema?: z.ZodType; text?: string };

export type RouteDefinition<P, Q, B> = {
  method: 'get' | 'post' | 'patch' | 'delete';
  /** With parameters in braces: `/images/{id}`. */
  path: string;
  summary: string;
  tag: 'images' | 'people' | 'service';
  params?: P;
  query?: Q;
  /** A JSON body, checked before `handle`. */
  body?: B;
  /** A multipart body, read by `handle`. */
  multipart?: { name?: true };
  /** Beside the statuses that every route may answer. */
  responses: Readonly<Record<number, Described>>;
  handle: (input: RouteRequest<P, Q, B>) => Promise<Reply> | Reply;
  /** The answer to a fault, where it is not the usual JSON. */
  renderError?: (error: ApiError, request: IncomingMessage) => Reply | undefined;
};

/** One row of the API: what it is described by, what it checks with and what it does. */
export type Route = RouteDefinition<z.ZodType | undefined, z.ZodType | undefined, z.ZodType | undefined>;

/** Keeps the types of a route's input while it is written down, and forgets them after. */
export function route<
  P extends z.ZodType | undefined = undefined,
  Q extends z.ZodType | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
>(definition: RouteDefinition<P, Q, B>): Route {
  return definition as Route;
}
