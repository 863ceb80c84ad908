import { expect, test } from 'vitest';
import { z } from 'zod';
import { docsPage } from '../src/docs-page.ts';
import { PostedImages, PostImageRequest } from '../src/image-schemas.ts';
import { describeApi } from '../src/openapi.ts';
import { route } from '../src/route.ts';
import { ErrorBody, idParameter, limitParameter } from '../src/schemas.ts';

type Json = Record<string, unknown>;

const routes = [
  route({
    method: 'post',
    path: '/things',
    summary: 'Make <one>',
    tag: 'images',
    body: PostImageRequest,
    responses: { 200: { description: 'Made.', schema: PostedImages, text: 'text/plain' } },
    handle: () => ({ status: 200, body: {} }),
  }),
  route({
    method: 'get',
    path: '/things/{id}',
    summary: 'Read one',
    tag: 'images',
    params: z.object({ id: idParameter }),
    query: z.object({ limit: limitParameter(50, 500) }),
    responses: { 200: { description: 'Read.', schema: ErrorBody } },
    handle: () => ({ status: 200, body: {} }),
  }),
];
const description = describeApi(routes, '1.0.0');

function at(...path: string[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Json | undefined)?.[key], description);
}

test('describes bodies by the schemas that check them, each named once', () => {
  expect(at('paths', '/things', 'post', 'requestBody', 'content', 'application/json', 'schema')).toEqual({
    $ref: '#/components/schemas/PostImageRequest',
  });
  expect(at('components', 'schemas', 'PostImageRequest')).toMatchObject({
    type: 'object',
    required: ['path'],
    properties: { path: { type: 'string', minLength: 1, maxLength: 255 } },
  });
  expect(at('components', 'schemas', 'PostedImages', 'properties', 'images', 'items')).toEqual({
    $ref: '#/components/schemas/PostedImage',
  });
});

test('describes parameters as the numbers that they are', () => {
  expect(at('paths', '/things/{id}', 'get', 'parameters')).toEqual([
    { name: 'id', in: 'path', required: true, schema: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } },
    { name: 'limit', in: 'query', required: false, schema: { type: 'integer', minimum: 1, maximum: 500, default: 50 } },
  ]);
});

test('describes what every route may answer, and only a route with an id 404', () => {
  expect(Object.keys(at('paths', '/things', 'post', 'responses') as Json)).toEqual([
    '200',
    '400',
    '401',
    '403',
    '408',
    '409',
    '410',
    '413',
    '429',
    '500',
    '503',
  ]);
  expect(at('paths', '/things/{id}', 'get', 'responses')).toHaveProperty('404');
});

test('refers to nothing that is not there', () => {
  const names = [...JSON.stringify(description).matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name);
  expect(Object.keys(at('components', 'schemas') as Json)).toEqual(expect.arrayContaining(names));
});

test('is readable as a page without script or anything from elsewhere', () => {
  const page = docsPage(description);
  expect(page).toContain('Make &#60;one&#62;');
  expect(page).toContain('href="#PostImageRequest"');
  expect(page).toContain('id="PostImageRequest"');
  expect(page).not.toMatch(/<script|https?:\/\//);
});
