import type { PhotoFault } from './errors.ts';
import type { EngineOptions } from './load-engine.ts';
import type { Analysis, ModelInfo, RuntimeName } from './types.ts';

export type WorkerOptions = Omit<EngineOptions, 'hasGlibc'>;

/** To the worker: one photo at a time. Its bytes are transferred. `known`: its descriptors will be kept. */
export type PhotoMessage = { photo: Uint8Array<ArrayBuffer>; known: boolean };

/** From the worker: `ready` once, then one answer for each photo. Anything that is not the photo's fault ends the worker instead. */
export type WorkerMessage =
  | { kind: 'ready'; runtime: RuntimeName; model: ModelInfo }
  | { kind: 'analysis'; analysis: Analysis }
  | { kind: 'photo-fault'; code: PhotoFault; detail: string };
