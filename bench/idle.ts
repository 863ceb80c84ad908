import type { RowDataPacket } from '@kube-face/shared-lib/mysql';
import { type BenchRow, quantile, round } from './figures.ts';
import type { Runtime } from './models.ts';
import type { PipelineSystem } from './pipeline-system.ts';

const WARM_POSTS = 20;

/** One post at a time: from sending it to the row holding the result. */
export async function benchIdle(
  system: PipelineSystem,
  { runtime, posts }: { runtime: Runtime; posts: number },
): Promise<BenchRow> {
  const recognition = await system.start('face-recognition', { WORKERS: '1', ENGINE_RUNTIME: runtime });
  const env = { GRPC_ADDRESS: recognition.env.GRPC_ADDRESS ?? '' };
  await system.start('image-processor', env);
  const receiver = await system.start('receiver', env);
  const times: number[] = [];
  for (let post = -WARM_POSTS; post < posts; post += 1) {
    const body = JSON.stringify({ path: await system.newPhoto() });
    const sentAt = performance.now();
    const response = await fetch(`${receiver.url}/image/post`, { method: 'POST', headers: { accept: 'application/json' }, body });
    const { images } = (await response.json()) as { images: { id: number }[] };
    await result(system, images[0]?.id ?? 0);
    if (post >= 0) times.push(performance.now() - sentAt);
  }
  await system.stopServices();
  return { runtime, posts, p50Ms: round(quantile(times, 0.5)), p99Ms: round(quantile(times, 0.99)) };
}

async function result({ database }: PipelineSystem, id: number): Promise<void> {
  for (;;) {
    const [row] = await database.execute<RowDataPacket[]>('select status from images where id = ?', [id]);
    if (row?.status === 1) return;
  }
}
