// `npm run models`: see models/build.ts. Usage: node scripts/build-models.ts [--out FOLDER] [--force]
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildModels } from './models/build.ts';

const { values } = parseArgs({ options: { out: { type: 'string' }, force: { type: 'boolean' } } });
const out = values.out ?? join(import.meta.dirname, '..', 'models');

const written = await buildModels(out, { force: values.force ?? false });
console.log(written.length > 0 ? `models: wrote ${written.join(', ')} to ${out}` : `models: up to date in ${out}`);
