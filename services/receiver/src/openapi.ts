import { z } from 'zod';
import { MAX_PHOTOS } from './multipart.ts';
import { PersonName } from './people-schemas.ts';
import type { Described, Route } from './route.ts';
import { ErrorBody, named } from './schemas.ts';

type Json = Record<string, unknown>;

// What every route may answer beside its own statuses.
const COMMON: Readonly<Record<number, Described>> = {
  400: { description: 'The request is not what is allowed; `details` name the fields.', schema: ErrorBody },
  401: { description: 'The bearer token is missing or wrong.', schema: ErrorBody },
  403: { description: 'The Origin is not allowed.', schema: ErrorBody },
  429: { description: 'Too many requests; ask again after `Retry-After` seconds.', schema: ErrorBody },
  500: { description: 'A fault of ours.', schema: ErrorBody },
  503: {
    description: 'Something that is needed is away; nothing was saved. Ask again after `Retry-After` seconds.',
    schema: ErrorBody,
  },
};
const WITH_ID: Readonly<Record<number, Described>> = { 404: { description: 'There is none with this id.', schema: ErrorBody } };
const WITH_KEY: Readonly<Record<number, Described>> = {
  410: { description: 'Somebody whom the first answer to this Idempotency-Key named was erased since.', schema: ErrorBody },
};
const WITH_BODY: Readonly<Record<number, Described>> = {
  408: { description: 'The body came too slowly.', schema: ErrorBody },
  409: { description: 'The Idempotency-Key is under way, or was used for another request.', schema: ErrorBody },
  413: { description: 'The body is too large.', schema: ErrorBody },
};

/** The description of the API (OpenAPI 3.1), made of the schemas that check it. */
export function describeApi(routes: readonly Route[], version: string): Json {
  const schemas: Json = {};

  /** The JSON schema of `schema`; the parts that have a name move to the components. */
  function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
    const text = JSON.stringify(z.toJSONSchema(schema, { io, metadata: named, unrepresentable: 'any' }));
    const { $schema: _, $defs, ...rest } = JSON.parse(text.replaceAll('#/$defs/', '#/components/schemas/')) as Json;
    Object.assign(schemas, $defs);
    return rest; // of a schema with a name, a reference
  }

  function parametersOf(schema: z.ZodType | undefined, place: 'path' | 'query'): Json[] {
    if (!schema) return [];
    const { properties = {}, required = [] } = jsonSchema(schema, 'output') as { properties?: Json; required?: string[] };
    return Object.entries(properties).map(([name, of]) => {
      const { description, default: fallback, ...rest } = of as Json;
      return {
        name,
        in: place,
        required: place === 'path' || (required.includes(name) && fallback === undefined),
        ...(description !== undefined && { description }),
        schema: fallback === undefined ? rest : { ...rest, default: fallback },
      };
    });
  }

  function contentOf({ schema, text }: Described): Json {
    return {
      ...(schema && { 'application/json': { schema: jsonSchema(schema, 'output') } }),
      ...(text !== undefined && { [text]: { schema: { type: 'string' } } }),
    };
  }

  function responsesOf(one: Route): Json {
    const hasBody = one.body !== undefined || one.multipart !== undefined;
    const all = {
      ...COMMON,
      ...(one.params && WITH_ID),
      ...(hasBody && WITH_BODY),
      ...(one.method === 'post' && WITH_KEY),
      ...one.responses,
    };
    const hasText = Object.values(one.responses).some(({ schema, text }) => schema && text !== undefined);
    return Object.fromEntries(
      Object.entries(all).map(([status, described]) => {
        const content = contentOf(hasText ? { text: 'text/plain', ...described } : described);
        const headers = status === '503' || status === '429' ? { 'Retry-After': { schema: { type: 'integer' } } } : undefined;
        return [status, { description: described.description, ...(headers && { headers }), content }];
      }),
    );
  }

  function requestBodyOf({ body, multipart }: Route): Json | undefined {
    if (body) return { required: true, content: { 'application/json': { schema: jsonSchema(body, 'input') } } };
    if (!multipart) return undefined;
    const photos = { type: 'array', minItems: 1, maxItems: MAX_PHOTOS, items: { type: 'string', format: 'binary' } };
    const name = jsonSchema(PersonName, 'input');
    const properties = multipart.name ? { name, image: photos } : { image: photos };
    const schema = { type: 'object', required: Object.keys(properties), properties };
    return { required: true, content: { 'multipart/form-data': { schema } } };
  }

  const paths: Record<string, Json> = {};
  for (const one of routes) {
    const parameters = [...parametersOf(one.params, 'path'), ...parametersOf(one.query, 'query')];
    if (one.method === 'post') {
      parameters.push({
        name: 'Idempotency-Key',
        in: 'header',
        required: false,
        description: 'A request sent again with its key is answered with the status and the body of the first time.',
        schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[!-~]+$' },
      });
    }
    const requestBody = requestBodyOf(one);
    const operation = {
      operationId: operationId(one),
      summary: one.summary,
      tags: [one.tag],
      ...(parameters.length > 0 && { parameters }),
      ...(requestBody && { requestBody }),
      responses: responsesOf(one),
    };
    paths[one.path] = { ...paths[one.path], [one.method]: operation };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'kube-face receiver',
      version,
      description: 'Photos in, names out. Bodies are read as JSON whatever their content type says; times are UTC.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{}, { token: [] }],
    tags: [{ name: 'images' }, { name: 'people' }, { name: 'service' }],
    paths,
    components: {
      schemas,
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'Where API_TOKEN is set.' } },
    },
  };
}

/** `GET /images/{id}` → `getImagesId` */
function operationId({ method, path }: Route): string {
  const words = path.split(/[^A-Za-z]+/).filter((word) => word !== '');
  return method + words.map((word) => `${word[0]?.toUpperCase()}${word.slice(1)}`).join('');
}
