import { fileURLToPath } from 'node:url';

/** Where `npm run models` puts the graphs. */
export const MODELS = fileURLToPath(new URL('../services/face-recognition/models', import.meta.url));

/** What runs them. */
export type Runtime = 'native' | 'wasm';
