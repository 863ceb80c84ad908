import type { Logger } from '@kube-face/shared-lib/logger';
import { EngineError } from './errors.ts';
import type { EnginePool } from './types.ts';

export type EnginePoolOptions = {
  workers: number;
  /** Photos of priority `serve` that may wait; one more is refused as `busy`. */
  queueLimit: number;
  /** Where `npm run models` put the graphs. */
  modelsDir: string;
  /** A descriptor model of the user's own: a folder with `model.json` and its `.onnx`. */
  modelDir?: string;
  /** `auto` takes the native runtime where its library loads. */
  runtime?: 'native' | 'wasm' | 'auto';
  log: Logger;
};

export async function createEnginePool(_options: EnginePoolOptions): Promise<EnginePool> {
  throw new EngineError('closed', 'not built yet');
}
