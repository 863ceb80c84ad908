import { type Response, Router } from 'express';
import { parseRows, type View } from './changes.ts';
import type { Live } from './live.ts';
import type { FrontendMetrics } from './metrics.ts';
import { parseId, parsePhotoQuery, QueryError } from './photo-query.ts';
import { paramsOf } from './request.ts';

export type Dependencies = {
  live: Pick<Live, 'join' | 'changesFor' | 'summary'>;
  metrics: Pick<FrontendMetrics, 'viewers'>;
};

export type LiveRoutes = {
  router: Router;
  /** Ends what would never end by itself. */
  close(): void;
};

const MAX_VIEWERS = 500;
const HEARTBEAT_MS = 15_000; // proxies end what is silent for long
const MAX_UNSENT_BYTES = 1024 * 1024;

/** What a page shows, from the parameters that its script sends. Without `table` it follows only the rows it names. */
function viewOf(params: URLSearchParams): View {
  const rows = parseRows(params.get('rows') ?? '');
  if (!rows) throw new QueryError('“rows” must be ids and versions.');
  return {
    query: params.has('table') ? parsePhotoQuery(params) : undefined,
    rows,
    floor: parseId(params.get('floor') ?? '') ?? 0,
  };
}

/** Changes as they happen (`/events`), and for whoever must ask again and again (`/changes`). */
export function createLiveRoutes({ live, metrics }: Dependencies): LiveRoutes {
  const router = Router();
  const streams = new Set<Response>();

  router.get('/events', (request, response) => {
    const view = viewOf(paramsOf(request.url));
    if (streams.size >= MAX_VIEWERS)
      return void response.status(503).type('text/plain').send('too many pages follow; ask /changes\n');
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });

    const write = (text: string) => {
      response.write(text);
      // A reader that does not read is let go; its script asks anew.
      if (response.writableLength > MAX_UNSENT_BYTES) response.destroy();
    };
    const send = (event: string, data: unknown) => write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);

    write('retry: 2000\n');
    send('hello', {});
    const leave = live.join({
      view,
      onChanges: (changes) => send('changes', changes),
      onSummary: (html) => send('summary', html),
      onDatabase: (isAway) => send('database', { isAway }),
    });
    const heartbeat = setInterval(() => write(': still here\n\n'), HEARTBEAT_MS);
    streams.add(response);
    metrics.viewers.set(streams.size);
    response.once('close', () => {
      leave();
      clearInterval(heartbeat);
      streams.delete(response);
      metrics.viewers.set(streams.size);
    });
  });

  router.get('/changes', async (request, response) => {
    const view = viewOf(paramsOf(request.url));
    const changes = await live.changesFor(view);
    response.setHeader('cache-control', 'no-store');
    response.json({ ...changes, summary: live.summary() ?? null });
  });

  return {
    router,
    close(): void {
      for (const response of streams) response.end();
    },
  };
}
