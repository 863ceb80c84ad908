/**
 * `npm run bench`: all figures side by side, on this machine, with real parts. Nothing else should want its cores meanwhile.
 *
 *   engine gallery receiver pipeline   these alone; without a name all of them
 *   --small    a fraction of the work, to see that it runs
 *   --json     one JSON document instead of tables
 *   --photos FOLDER, --lfw FOLDER --pairs FILE   accuracy of the engine on labelled photos, see bench/engine.ts
 *
 * Each of them has more options of its own: `node --conditions=source bench/engine.ts --soak 20000`, and so on.
 */
import { parseArgs } from 'node:util';
import { benchEngine } from './engine.ts';
import type { BenchRow } from './figures.ts';
import { benchGallery } from './gallery.ts';
import { benchPipeline } from './pipeline.ts';
import { benchReceiver } from './receiver.ts';

type Tables = Record<string, BenchRow[]>;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    small: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    photos: { type: 'string' },
    lfw: { type: 'string' },
    pairs: { type: 'string' },
  },
});
const { photos, lfw, pairs } = values;
const labelled = { photos, lfw: lfw !== undefined && pairs !== undefined ? { folder: lfw, pairs } : undefined };

const BENCHES: Record<string, (small: boolean) => Promise<Tables>> = {
  engine: (small) => benchEngine({ ...labelled, ...(small && { repeats: 5, soak: 20 }) }),
  gallery: async (small) => {
    const { search, coldStart, decide } = await benchGallery({ small });
    return { 'gallery: search': search, 'gallery: start': coldStart, 'gallery: stored faces judged anew': decide };
  },
  receiver: async (small) => {
    const rows = small ? [0] : [0, 1_000_000];
    const figures = await benchReceiver({ rows, seconds: small ? 2 : 10, connections: 64 });
    return { 'receiver: posts': figures.map(({ statuses: _, ...row }) => row) };
  },
  pipeline: async (small) => ({ 'pipeline: the whole path': await benchPipeline({ small }) }),
};

const unknown = positionals.find((name) => !(name in BENCHES));
if (unknown !== undefined) {
  console.error(`there is no benchmark "${unknown}"; there are ${Object.keys(BENCHES).join(', ')}`);
  process.exit(2);
}

const tables: Tables = {};
for (const [name, bench] of Object.entries(BENCHES)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const results = await bench(values.small);
  Object.assign(tables, results);
  if (values.json) continue;
  for (const [title, rows] of Object.entries(results)) {
    console.log(title);
    console.table(rows);
  }
}
if (values.json) console.log(JSON.stringify(tables, undefined, 2));
