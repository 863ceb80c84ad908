import type { Logger } from '@kube-face/shared-lib/logger';
import { isDatabaseAway } from '@kube-face/shared-lib/mysql';
import { parseTraceparent, type StartSpan, untraced } from '@kube-face/shared-lib/tracing';
import { NoTurnError } from '@kube-face/shared-lib/turns';
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler, type Response } from 'express';
import { loadAssets } from './assets.ts';
import type { CountSource } from './counts.ts';
import type { Live } from './live.ts';
import { createLiveRoutes } from './live-routes.ts';
import type { FrontendMetrics } from './metrics.ts';
import { createPageRoutes } from './page-routes.ts';
import { AWAY_REFRESH_SECONDS, badAddressPage, brokenPage, databaseAwayPage, notFoundPage } from './pages/error-page.ts';
import { type Page, renderPage } from './pages/layout.ts';
import type { PeopleStore } from './people-store.ts';
import type { PhotoFolder } from './photo-folder.ts';
import { QueryError } from './photo-query.ts';
import type { PhotoStore } from './photo-store.ts';
import { createPictureRoutes } from './picture-routes.ts';
import type { Pictures } from './pictures.ts';
import { securityHeaders } from './security-headers.ts';

export type Dependencies = {
  photos: PhotoStore;
  people: PeopleStore;
  counts: CountSource;
  live: Live;
  pictures: Pictures;
  unknownPeople: PhotoFolder;
  knownPeople: PhotoFolder;
  receiverUrl: string;
  threshold: number;
  metrics: FrontendMetrics;
  tracer?: StartSpan;
  log: Logger;
};

export type PageApp = {
  handle: Express;
  /** Ends the answers that go on for as long as a page is open. */
  close(): void;
};

/** The pages, without listening. Every answer is a page, a picture or a file of our own; nothing is changed by any request. */
export function createApp(dependencies: Dependencies): PageApp {
  const { receiverUrl, metrics, log } = dependencies;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag'); // of whole pages: they change with every photo
  app.set('query parser', false);

  const assets = loadAssets();
  const site = { asset: assets.address, receiverUrl };
  const sendPage = (response: Response, page: Page, status = 200) => {
    response.setHeader('cache-control', 'private, no-cache');
    response.status(status).type('html').send(renderPage(page, site));
  };
  const liveRoutes = createLiveRoutes(dependencies);

  app.use(measure(metrics), traced(dependencies.tracer ?? untraced), securityHeaders({ receiverUrl }), onlyReads);
  app.get('/assets/:version/:name', assets.serve);
  app.get('/favicon.ico', (_request, response) => response.redirect(308, assets.address('icon.svg')));
  app.use(createPictureRoutes(dependencies));
  app.use(liveRoutes.router);
  app.use(createPageRoutes({ ...dependencies, sendPage }));

  app.use((_request, response) => sendPage(response, notFoundPage('There is no page at this address.'), 404));

  const onError: ErrorRequestHandler = (error, request, response, _next) => {
    if (response.headersSent) return void response.destroy();
    if (error instanceof QueryError) return sendPage(response, badAddressPage(error.message), 400);
    if (error instanceof URIError) return sendPage(response, badAddressPage('It is not written as an address.'), 400);
    if (error instanceof NoTurnError)
      return void response.setHeader('retry-after', 1).status(503).type('text/plain').send('busy\n');
    if (isDatabaseAway(error)) {
      log.warn({ error, route: routeOf(request) }, 'the database is away');
      response.setHeader('retry-after', AWAY_REFRESH_SECONDS);
      return sendPage(response, databaseAwayPage(), 503);
    }
    log.error({ error, route: routeOf(request), method: request.method }, 'a request failed');
    return sendPage(response, brokenPage(), 500);
  };
  app.use(onError);
  return { handle: app, close: liveRoutes.close };
}

/** The pattern of the route that took a request, for metrics and the log. */
function routeOf(request: Request): string {
  const route: unknown = request.route?.path;
  return typeof route === 'string' ? route : 'none';
}

function measure(metrics: FrontendMetrics): RequestHandler {
  return (request, response, next) => {
    const startedAt = performance.now();
    response.once('close', () => {
      const code = response.headersSent ? response.statusCode : 499;
      const seconds = (performance.now() - startedAt) / 1_000;
      metrics.answered({ method: request.method, route: routeOf(request), code, seconds });
    });
    next();
  };
}

/** A step of the browser's trace, or a trace of its own. Not of a page that follows the table: that ends when the page does. */
function traced(tracer: StartSpan): RequestHandler {
  return (request, response, next) => {
    const { method, path, headers } = request;
    if (path === '/events') return next();
    const given = headers.traceparent;
    const parent = typeof given === 'string' && parseTraceparent(given) ? given : undefined;
    const attributes = { 'http.request.method': method };
    void tracer.span(method, { parent, kind: 'server', attributes }, async (span) => {
      const closed = new Promise<void>((resolve) => response.once('close', resolve));
      next();
      await closed;
      span.setAttributes({ 'http.route': routeOf(request), 'http.response.status_code': response.statusCode });
    });
  };
}

const onlyReads: RequestHandler = (request, response, next) => {
  if (request.method === 'GET' || request.method === 'HEAD') return next();
  response.setHeader('allow', 'GET, HEAD');
  return void response.status(405).type('text/plain').send('pages are only read; changes go to the receiver\n');
};
