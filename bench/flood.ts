/**
 * A flood of posts that is worked off while others go on posting: what a new post takes meanwhile, and how long the backlog
 * lasts. Recognition answers at once, so the backlog is worked off as fast as everything around it can.
 * `node --conditions=source bench/flood.ts`
 *
 *   --posts N    of the flood (100000)
 *   --small      a fraction of it, to see that it runs
 *   --json       JSON instead of a table
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { RowDataPacket } from '@kube-face/shared-lib/mysql';
import { type BenchRow, round } from './figures.ts';
import { postLoad } from './http-load.ts';
import { startInstantRecognition } from './instant-recognition.ts';
import { makePhoto, startPipelineSystem } from './pipeline-system.ts';
import { startSteadyPosts } from './steady-posts.ts';

const CONNECTIONS = 64;
const NEW_PER_SECOND = 50;
const LOOK_MS = 500;

// The flood's photos have the lowest ids, so what is left of it is found at the beginning of an index.
const LEFT = "select 1 from images where status in (0, 3) and path like 'flood/%' limit 1";

export async function benchFlood({ posts = 100_000 } = {}): Promise<BenchRow[]> {
  const system = await startPipelineSystem(await makePhoto());
  const faces = await startInstantRecognition();
  try {
    const env = { GRPC_ADDRESS: faces.address };
    await system.start('image-processor', env);
    const receiver = await system.start('receiver', env);
    const steady = startSteadyPosts({ url: receiver.url, perSecond: NEW_PER_SECOND, path: (n) => `new/${n}.jpg` });
    await delay(2_000);
    steady.lap(); // cold

    const rows: BenchRow[] = [];
    const lap = (phase: string, startedAt: number) => {
      const seconds = (performance.now() - startedAt) / 1_000;
      rows.push({ phase, seconds: round(seconds), floodPerSecond: Math.round(posts / seconds), ...steady.lap() });
    };
    const startedAt = performance.now();
    await postLoad({
      host: '127.0.0.1',
      port: Number(new URL(receiver.url).port),
      connections: CONNECTIONS,
      requests: posts,
      path: '/image/post',
      body: (n) => `{"path":"flood/${n}.jpg"}`,
    });
    lap('the flood comes in', startedAt);
    while ((await system.database.query<RowDataPacket[]>(LEFT)).length > 0) await delay(LOOK_MS);
    lap('until it is worked off', startedAt);
    await steady.stop();
    return rows;
  } finally {
    await system.stop();
    faces.stop();
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      posts: { type: 'string', default: '100000' },
      small: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const rows = await benchFlood({ posts: values.small ? 5_000 : Number(values.posts) });
  if (values.json) console.log(JSON.stringify(rows, null, 2));
  else console.table(rows);
}
