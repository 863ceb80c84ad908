import { say } from './lib/progress.mjs';
import { build } from './parts/tools.ts';

await build();
say('built: services/*/dist');
