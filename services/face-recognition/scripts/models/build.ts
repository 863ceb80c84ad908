import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { blazefaceGraph } from './blazeface.ts';
import { descriptorGraph, landmarkGraph } from './face-api.ts';
import { encodeOnnx } from './onnx.ts';

const require = createRequire(import.meta.url);
const folderIn = (name: string, folder: string) => join(dirname(require.resolve(name)), '..', folder);

/** Where the installed packages keep their weights. */
export const HUMAN_MODELS = folderIn('@vladmandic/human', 'models');
export const FACE_API_MODELS = folderIn('@vladmandic/face-api', 'model');

const GRAPHS = [
  { file: 'blazeface.onnx', folder: HUMAN_MODELS, from: /^blazeface\.(json|bin)$/, build: blazefaceGraph },
  { file: 'landmarks.onnx', folder: FACE_API_MODELS, from: /^face_landmark_68_model[.-]/, build: landmarkGraph },
  { file: 'descriptor.onnx', folder: FACE_API_MODELS, from: /^face_recognition_model[.-]/, build: descriptorGraph },
];

const STAMP = 'built-from.json';

type Stamp = { sources: string; outputs: Record<string, string> };

/**
 * Builds the ONNX graphs that the engine runs, from the weights inside the installed npm packages. No network; the same input gives the same
 * bytes. Tells what it wrote: nothing where the folder is up to date.
 */
export async function buildModels(out: string, { force = false } = {}): Promise<string[]> {
  const sources = await hashOfSources();
  const stamp = await readStamp(out);
  if (!force && stamp?.sources === sources && (await areThere(out, stamp.outputs))) return [];

  await mkdir(out, { recursive: true });
  const outputs: Stamp['outputs'] = {};
  for (const { file, folder, build } of GRAPHS) {
    const bytes = encodeOnnx(await build(folder));
    await replace(join(out, file), bytes);
    outputs[file] = sha256(bytes);
  }
  await replace(join(out, STAMP), `${JSON.stringify({ sources, outputs }, undefined, 2)}\n`);
  return Object.keys(outputs);
}

/** Of the weights and the code that translates them: a change of either builds anew. */
async function hashOfSources(): Promise<string> {
  const hash = createHash('sha256');
  for (const name of (await readdir(import.meta.dirname)).sort()) hash.update(await readFile(join(import.meta.dirname, name)));
  for (const { folder, from } of GRAPHS) {
    for (const name of (await readdir(folder)).filter((file) => from.test(file)).sort())
      hash.update(await readFile(join(folder, name)));
  }
  return hash.digest('hex');
}

async function readStamp(out: string): Promise<Stamp | undefined> {
  try {
    return JSON.parse(await readFile(join(out, STAMP), 'utf8')) as Stamp;
  } catch {
    return undefined; // none, or one that a stopped build left in pieces
  }
}

async function areThere(out: string, outputs: Stamp['outputs']): Promise<boolean> {
  for (const { file } of GRAPHS) {
    const bytes = await readFile(join(out, file)).catch(() => undefined);
    if (bytes === undefined || sha256(bytes) !== outputs[file]) return false;
  }
  return true;
}

/** Whole or not at all, also when two builds run at once. */
async function replace(path: string, content: Uint8Array | string): Promise<void> {
  const part = `${path}.${crypto.randomUUID()}.part`;
  await writeFile(part, content);
  await rename(part, path);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
