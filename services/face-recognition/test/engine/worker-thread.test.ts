import { tmpdir } from 'node:os';
import { silent } from '@kube-face/shared-lib/logger';
import { expect, onTestFinished, test, vi } from 'vitest';
import { buildModels } from '../../scripts/models/build.ts';
import { createEnginePool } from '../../src/engine/engine.ts';
import { demoPhoto, MODELS } from './photos.ts';

// Networks run here, perhaps beside much else on a small machine.
vi.setConfig({ testTimeout: 60_000 });

test.each([
  { runtime: 'auto', name: 'onnxruntime-node' },
  { runtime: 'wasm', name: 'onnxruntime-web' },
] as const)('analyses photos in threads of their own ($runtime)', async ({ runtime, name }) => {
  await buildModels(MODELS);
  const pool = await createEnginePool({ workers: 2, queueLimit: 10, modelsDir: MODELS, runtime, log: silent });
  onTestFinished(() => pool.close());
  expect(pool.runtime).toBe(name);
  expect(pool.model).toMatchObject({ length: 128, metric: 'euclidean' });

  const analyses = await Promise.all([1, 4, 6].map(async (number) => pool.analyse(await demoPhoto(number))));
  expect(analyses.map(({ faces }) => faces.length)).toEqual([3, 4, 4]);
  await expect(pool.analyse(Buffer.from('no photo'))).rejects.toMatchObject({ code: 'unreadable_image' });
});

test('goes on after it had to end a worker in the middle of a photo', async () => {
  await buildModels(MODELS);
  const pool = await createEnginePool({ workers: 1, queueLimit: 10, modelsDir: MODELS, log: silent });
  onTestFinished(() => pool.close());
  for (let i = 0; i < 3; i++) {
    await expect(pool.analyse(await demoPhoto(1), { deadlineMs: 5 + 10 * i })).rejects.toMatchObject({ code: 'timeout' });
  }
  expect((await pool.analyse(await demoPhoto(1))).faces).toHaveLength(3);
});

test('says which models are not there', async () => {
  const attempt = createEnginePool({ workers: 1, queueLimit: 1, modelsDir: tmpdir(), log: silent });
  await expect(attempt).rejects.toMatchObject({
    message: 'the engine cannot start',
    cause: { message: expect.stringContaining('npm run models') },
  });
});
