import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAnalyse } from './analyse.ts';
import { builtInModel, readModel } from './descriptor-model.ts';
import { free } from './memory.ts';
import { loadRuntime } from './runtime.ts';
import type { Analysis, ModelInfo, RuntimeName } from './types.ts';

export type EngineOptions = {
  modelsDir: string;
  modelDir?: string | undefined;
  runtime: 'native' | 'wasm' | 'auto';
  hasGlibc: boolean;
};

export type Engine = { runtime: RuntimeName; model: ModelInfo; analyse(bytes: Uint8Array, known?: boolean): Promise<Analysis> };

/** One engine, for one thread. */
export async function loadEngine({ modelsDir, modelDir, runtime: choice, hasGlibc }: EngineOptions): Promise<Engine> {
  const runtime = await loadRuntime(choice, hasGlibc);
  const model = modelDir === undefined ? builtInModel(modelsDir) : await readModel(modelDir);
  const load = async (path: string) => {
    const graph = await readGraph(path);
    const network = await runtime.load(graph);
    free(graph);
    return network;
  };
  const detector = await load(join(modelsDir, 'blazeface.onnx'));
  const landmarks = await load(join(modelsDir, 'landmarks.onnx'));
  const descriptor = await load(model.file);
  const { name, length, metric, threshold } = model;
  return {
    runtime: runtime.name,
    model: { name, length, metric, threshold },
    analyse: createAnalyse({ detector, landmarks, descriptor, model }),
  };
}

async function readGraph(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new Error(`no model at ${path}: npm run models builds those of the project`, { cause });
  }
}
