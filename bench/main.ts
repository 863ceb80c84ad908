/**
 * `npm run bench`: all figures side by side, on this machine, with real parts. Nothing else should want its cores meanwhile.
 *
 *   engine gallery receiver pipeline flood memory   these alone; without a name all of them
 *   --small    a fraction of the work, to see that it runs
 *   --json     one JSON document instead of tables
 *   --runtime NAME       native or wasm alone, of the pipeline
 *   --minutes N          of memory (2)
 *   --original COMMAND   a receiver of the original's, measured in turn with ours (--original-port N, 8000)
 *   --photos FOLDER, --lfw FOLDER --pairs FILE   accuracy of the engine on labelled photos, see bench/engine.ts
 *
 * Each of them has more options of its own: `node --conditions=source bench/engine.ts --soak 20000`, and so on.
 */
import { parseArgs } from 'node:util';
import { benchEngine } from './engine.ts';
import type { BenchRow } from './figures.ts';
import { benchFlood } from './flood.ts';
import { benchGallery } from './gallery.ts';
import { benchMemory } from './memory.ts';
import { benchPipeline } from './pipeline.ts';
import { benchReceiver, originalOf } from './receiver.ts';

type Tables = Record<string, BenchRow[]>;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    small: { type: 'boolean', default: false },
    runtime: { type: 'string' },
    minutes: { type: 'string' },
    original: { type: 'string' },
    'original-port': { type: 'string', default: '8000' },
    json: { type: 'boolean', default: false },
    photos: { type: 'string' },
    lfw: { type: 'string' },
    pairs: { type: 'string' },
  },
});
const { photos, lfw, pairs, runtime, minutes } = values;
const chosen = runtime === 'native' || runtime === 'wasm' ? runtime : undefined;
const labelled = { photos, lfw: lfw !== undefined && pairs !== undefined ? { folder: lfw, pairs } : undefined };

const BENCHES: Record<string, (small: boolean) => Promise<Tables>> = {
  engine: (small) => benchEngine({ ...labelled, ...(small && { repeats: 5, soak: 20 }) }),
  gallery: async (small) => {
    const { search, coldStart, decide } = await benchGallery({ small });
    return { 'gallery: search': search, 'gallery: start': coldStart, 'gallery: stored faces judged anew': decide };
  },
  receiver: async (small) => ({
    'receiver: posts': await benchReceiver({ original: originalOf(values), ...(small && { rows: [0], seconds: 2 }) }),
  }),
  pipeline: (small) => benchPipeline({ ...(chosen && { runtimes: [chosen] }), ...(small && { photos: 200, posts: 20 }) }),
  flood: async (small) => ({ 'flood: what a new post takes meanwhile': await benchFlood(small ? { posts: 5_000 } : {}) }),
  memory: async (small) => ({
    'memory: of each service under load': await benchMemory({
      minutes: minutes === undefined ? (small ? 0.2 : 2) : Number(minutes),
      ...(chosen && { runtime: chosen }),
    }),
  }),
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
