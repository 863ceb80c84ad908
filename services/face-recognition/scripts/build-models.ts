import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { blazefaceGraph } from './models/blazeface.ts';
import { descriptorGraph, landmarkGraph } from './models/face-api.ts';
import { encodeOnnx } from './models/onnx.ts';

/**
 * Builds the ONNX graphs that the engine runs, from the weights inside the installed npm packages. No network; the same input gives the
 * same bytes; nothing is done when the folder is up to date.
 */
const HELP = `node scripts/build-models.ts [--out FOLDER] [--force]`;

const { values } = parseArgs({ options: { out: { type: 'string' }, force: { type: 'boolean' }, help: { type: 'boolean' } } });
if (values.help) {
  console.log(HELP);
  process.exit(0);
}

const require = createRequire(import.meta.url);
const out = values.out ?? join(import.meta.dirname, '..', 'models');
const folderIn = (name: string, folder: string) => join(dirname(require.resolve(name)), '..', folder);
const human = folderIn('@vladmandic/human', 'models');
const faceApi = folderIn('@vladmandic/face-api', 'model');

const GRAPHS = [
  { file: 'blazeface.onnx', folder: human, from: /^blazeface\.(json|bin)$/, build: blazefaceGraph },
  { file: 'landmarks.onnx', folder: faceApi, from: /^face_landmark_68_model[.-]/, build: landmarkGraph },
  { file: 'descriptor.onnx', folder: faceApi, from: /^face_recognition_model[.-]/, build: descriptorGraph },
];

const sources = await hashOfSources();
const built = await readStamp();
if (!values.force && built?.sources === sources && (await outputsAre(built.outputs))) {
  console.log(`models: up to date in ${out}`);
} else {
  await mkdir(out, { recursive: true });
  const outputs: Record<string, string> = {};
  for (const { file, folder, build } of GRAPHS) {
    const bytes = encodeOnnx(await build(folder));
    await replace(join(out, file), bytes);
    outputs[file] = sha256(bytes);
    console.log(`models: ${file} ${(bytes.length / 1e6).toFixed(1)} MB`);
  }
  await replace(join(out, 'built-from.json'), `${JSON.stringify({ sources, outputs }, undefined, 2)}\n`);
}

/** Weights and the code that translates them: a change of either builds anew. */
async function hashOfSources(): Promise<string> {
  const hash = createHash('sha256');
  const code = join(import.meta.dirname, 'models');
  for (const name of (await readdir(code)).sort()) hash.update(await readFile(join(code, name)));
  for (const { folder, from } of GRAPHS) {
    for (const name of (await readdir(folder)).filter((file) => from.test(file)).sort())
      hash.update(await readFile(join(folder, name)));
  }
  return hash.digest('hex');
}

async function readStamp(): Promise<{ sources: string; outputs: Record<string, string> } | undefined> {
  try {
    return JSON.parse(await readFile(join(out, 'built-from.json'), 'utf8'));
  } catch {
    return undefined;
  }
}

async function outputsAre(outputs: Record<string, string>): Promise<boolean> {
  const same = await Promise.all(
    GRAPHS.map(async ({ file }) => {
      const bytes = await readFile(join(out, file)).catch(() => undefined);
      return bytes !== undefined && sha256(bytes) === outputs[file];
    }),
  );
  return same.every(Boolean);
}

/** Whole or not at all, also when two builds run at once. */
async function replace(path: string, content: Uint8Array | string): Promise<void> {
  const part = `${path}.${process.pid}.part`;
  await writeFile(part, content);
  await rename(part, path);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
