import { z } from 'zod';
import { describeApi } from './openapi.ts';
import { type Route, route } from './route.ts';

const API_VERSION = '1.0.0';

/** Routes about the service itself. `others` are what the description describes beside these. */
export function serviceRoutes(others: readonly Route[]): Route[] {
  const routes: Route[] = [];
  let description: unknown;
  routes.push(
    route({
      method: 'get',
      path: '/openapi.json',
      summary: 'This description',
      tag: 'service',
      responses: { 200: { description: 'OpenAPI 3.1.', schema: z.looseObject({ openapi: z.string() }) } },
      handle: () => {
        description ??= describeApi([...others, ...routes], API_VERSION);
        return { status: 200, body: description };
      },
    }),
  );
  return routes;
}
