/**
 * The engine by itself: `node --conditions=source bench/engine.ts`
 *
 *   --json             JSON instead of tables
 *   --runtime NAME     native or wasm alone
 *   --repeats N        photos of each kind that are timed (30)
 *   --soak N           photos for the memory of two workers (300; 20000 shows whether it stays flat)
 *   --photos FOLDER    accuracy on a folder with labels.csv (folder,file,person; folders known, unknown, strangers)
 *   --lfw FOLDER --pairs FILE   LFW's protocol (View 2) on its folder of photos and its pairs.txt
 */
import { parseArgs } from 'node:util';
import { buildModels } from '../services/face-recognition/scripts/models/build.ts';
import { benchFolder } from './engine-folder.ts';
import { benchLfw } from './engine-lfw.ts';
import { benchPhotos } from './engine-photos.ts';
import { benchProcesses } from './engine-process.ts';
import { benchSpeed } from './engine-speed.ts';
import type { BenchRow } from './figures.ts';
import { MODELS, type Runtime } from './models.ts';

// As in the service: ONNX Runtime's own binaries tell their maker about every session otherwise.
process.env.ORT_DISABLE_TELEMETRY = '1';

export type EngineBenchOptions = {
  runtimes?: Runtime[] | undefined;
  repeats?: number | undefined;
  soak?: number | undefined;
  photos?: string | undefined;
  lfw?: { folder: string; pairs: string } | undefined;
};

/** Tables by title, each told as soon as it is there. Nothing else should want the machine's cores meanwhile. */
export async function benchEngine(
  options: EngineBenchOptions = {},
  onTable: (title: string, rows: BenchRow[]) => void = () => {},
): Promise<Record<string, BenchRow[]>> {
  const { runtimes = ['native', 'wasm'], repeats = 30, soak = 300, photos, lfw } = options;
  await buildModels(MODELS);
  const timed = await benchPhotos();
  const tables: Record<string, BenchRow[]> = {};
  const add = (title: string, rows: BenchRow[]) => {
    tables[title] = [...(tables[title] ?? []), ...rows];
    onTable(title, rows);
  };
  for (const runtime of runtimes) {
    add('engine: milliseconds a photo, one core', await benchSpeed(runtime, timed, repeats));
    add('engine: processes', await benchProcesses(runtime, soak, timed));
    if (photos !== undefined) {
      const { named, pairs } = await benchFolder(runtime, photos);
      add(`engine: accuracy on ${photos}`, named);
      add(`engine: every pair of ${photos}`, pairs);
    }
    if (lfw !== undefined) add('engine: LFW, 10 folds', await benchLfw(runtime, lfw.folder, lfw.pairs));
  }
  return tables;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      runtime: { type: 'string' },
      repeats: { type: 'string', default: '30' },
      soak: { type: 'string', default: '300' },
      photos: { type: 'string' },
      lfw: { type: 'string' },
      pairs: { type: 'string' },
    },
  });
  const tables = await benchEngine(
    {
      runtimes: values.runtime === 'native' || values.runtime === 'wasm' ? [values.runtime] : undefined,
      repeats: Number(values.repeats),
      soak: Number(values.soak),
      photos: values.photos,
      lfw: values.lfw !== undefined && values.pairs !== undefined ? { folder: values.lfw, pairs: values.pairs } : undefined,
    },
    (title, rows) => {
      if (values.json) return;
      console.log(title);
      console.table(rows);
    },
  );
  if (values.json) console.log(JSON.stringify(tables, undefined, 2));
}
