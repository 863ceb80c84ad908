/** The door of this folder: what the rest of the service may import. */
export { createEnginePool, type EnginePoolOptions } from './engine-pool.ts';
export { EngineError, type EngineFault, PhotoError, type PhotoFault } from './errors.ts';
export type { AnalyseOptions, Analysis, Box, DetectedFace, EnginePool, ModelInfo, RuntimeName } from './types.ts';
