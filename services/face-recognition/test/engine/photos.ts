import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildModels } from '../../scripts/models/build.ts';
import { loadEngine } from '../../src/engine/load-engine.ts';

const FACE_API = join(dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api')), '..');

/** Six photos of three to five people each, that come with the package of the models. */
export const demoPhoto = (number: number): Promise<Buffer> => readFile(join(FACE_API, 'demo', `sample${number}.jpg`));

export const MODELS = fileURLToPath(new URL('../../models', import.meta.url));

/** An engine in this thread; the graphs are built where they are not yet. */
export async function startEngine(runtime: 'native' | 'wasm', modelDir?: string) {
  await buildModels(MODELS);
  return await loadEngine({ modelsDir: MODELS, modelDir, runtime, hasGlibc: true });
}

export function distance(left: Float32Array, right: Float32Array): number {
  return Math.hypot(...left.map((value, i) => value - (right[i] ?? Number.NaN)));
}
