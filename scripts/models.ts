import { say } from './lib/progress.mjs';
import { buildModels } from './parts/tools.ts';

await buildModels();
say('the models are in services/face-recognition/models');
