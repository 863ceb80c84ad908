import { OUTCOMES, STATUS_WORDS } from '@kube-face/shared-lib/image-status';
import { z } from 'zod';
import { docsPage } from './docs-page.ts';
import { describeApi } from './openapi.ts';
import { type Route, route } from './route.ts';
import { named, Time } from './schemas.ts';
import type { Stats } from './stats.ts';

const API_VERSION = '1.0.0';

const Count = z.int().min(0);

const StatsJson = z
  .object({
    images: z.object(Object.fromEntries(STATUS_WORDS.map((word) => [word, Count]))).describe('by status'),
    outcomes: z.object(Object.fromEntries(OUTCOMES.map((word) => [word, Count]))).describe('of processed and failed photos'),
    people: Count,
    queue: z
      .object({ depth: Count, inFlight: Count, deferred: Count })
      .nullable()
      .describe("what this receiver's nsqd holds; null where it does not say"),
    rates: z.object({ finishedLastMinute: Count, finishedLast5Minutes: Count, finishedLast15Minutes: Count }),
    asOf: Time,
  })
  .register(named, { id: 'Stats' });

export type ServiceRouteDependencies = {
  /** What else the description describes. */
  others: readonly Route[];
  stats: () => Promise<Stats>;
};

/** Routes about the service itself. */
export function serviceRoutes({ others, stats }: ServiceRouteDependencies): Route[] {
  let description: Record<string, unknown> | undefined;
  function describe(): Record<string, unknown> {
    description ??= describeApi([...others, ...routes], API_VERSION);
    return description;
  }

  const routes: Route[] = [
    route({
      method: 'get',
      path: '/stats',
      summary: 'Counts and rates',
      tag: 'service',
      responses: {
        200: { description: 'A few seconds old at most where counting takes less than one; `asOf` tells.', schema: StatsJson },
      },
      handle: async () => ({ status: 200, body: await stats() }),
    }),
    route({
      method: 'get',
      path: '/openapi.json',
      summary: 'This description',
      tag: 'service',
      responses: { 200: { description: 'OpenAPI 3.1.', schema: z.looseObject({ openapi: z.string() }) } },
      handle: () => ({ status: 200, body: describe() }),
    }),
    route({
      method: 'get',
      path: '/docs',
      summary: 'A page to read it',
      tag: 'service',
      responses: { 200: { description: 'HTML.', text: 'text/html' } },
      handle: () => ({ status: 200, body: docsPage(describe()), headers: { 'content-type': 'text/html; charset=utf-8' } }),
    }),
  ];
  return routes;
}
