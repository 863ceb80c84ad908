import { execFile } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test, vi } from 'vitest';
import { tempFolder } from '../../../../test/harness/temp-folder.ts';
import { buildModels } from '../../scripts/models/build.ts';
import { FACE_API } from '../../src/engine/landmarks.ts';
import { loadRuntime } from '../../src/engine/runtime.ts';
import { noise } from './noise.ts';
import { MODELS } from './photos.ts';

// Networks run here, perhaps beside much else on a small machine.
vi.setConfig({ testTimeout: 60_000 });

type Detection = { scores: number[]; boxes: number[] };
type Reference = { points: number[]; descriptor: number[]; square: Detection; wide: Detection };

let folder: string;
let tfjs: Reference;

beforeAll(async () => {
  folder = tempFolder('models');
  await buildModels(MODELS);
  const program = fileURLToPath(new URL('tfjs-reference.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program], { maxBuffer: 2 ** 26 });
  tfjs = JSON.parse(stdout.slice(stdout.indexOf('{'))) as Reference;
}, 60_000);

/** [height, width, 3] to [3, height, width], as a network of ours takes it. */
function planes(pixels: Float32Array, normalise: (value: number, channel: number) => number): Float32Array {
  const count = pixels.length / 3;
  return Float32Array.from(pixels, (_, at) => {
    const channel = Math.floor(at / count);
    return normalise(pixels[(at % count) * 3 + channel] ?? 0, channel);
  });
}

async function run(file: string, input: Float32Array, [width, height]: [number, number]) {
  const runtime = await loadRuntime('native', true);
  const network = await runtime.load(await readFile(join(MODELS, file)));
  return await network.run(input, [1, 3, height, width]);
}

function largestDifference(ours: ArrayLike<number> = [], theirs: ArrayLike<number>): number {
  expect(ours.length).toBe(theirs.length);
  return Math.max(...Array.from(ours, (value, i) => Math.abs(value - (theirs[i] ?? Number.NaN))));
}

test.each([
  { file: 'landmarks.onnx', output: 'points', size: 112 },
  { file: 'descriptor.onnx', output: 'descriptor', size: 150 },
] as const)('$file computes what face-api computes on tfjs', async ({ file, output, size }) => {
  const input = planes(noise(size, size), (value, channel) => (value - (FACE_API.mean[channel] ?? 0)) / FACE_API.divisor);
  const ours = await run(file, input, [size, size]);
  expect(largestDifference(ours[output], tfjs[output])).toBeLessThan(1e-4);
});

test.each([
  { shape: 'square', size: [256, 256] },
  { shape: 'wide', size: [256, 160] },
] as const)(
  'blazeface.onnx computes what the package computes on tfjs, on a $shape input',
  async ({ shape, size: [width, height] }) => {
    const ours = await run(
      'blazeface.onnx',
      planes(noise(width, height), (value) => value / 127.5 - 1),
      [width, height],
    );
    expect(largestDifference(ours.scores, tfjs[shape].scores)).toBeLessThan(1e-4);
    // In pixels, up to hundreds of them.
    expect(largestDifference(ours.boxes, tfjs[shape].boxes)).toBeLessThan(1e-3);
  },
);

test('gives the same bytes each time', async () => {
  const [one, two] = [join(folder, 'one'), join(folder, 'two')];
  await buildModels(one);
  await buildModels(two);
  for (const file of ['blazeface.onnx', 'landmarks.onnx', 'descriptor.onnx']) {
    expect((await readFile(join(one, file))).equals(await readFile(join(two, file)))).toBe(true);
  }
});

test('leaves a folder alone that is up to date, and builds one anew that is damaged', async () => {
  const out = join(folder, 'damaged');
  await buildModels(out);
  const file = join(out, 'landmarks.onnx');
  const before = await stat(file);

  expect(await buildModels(out)).toEqual([]);
  expect((await stat(file)).ino).toBe(before.ino);

  await writeFile(file, 'half a model');
  expect(await buildModels(out)).toContain('landmarks.onnx');
  expect((await stat(file)).size).toBe(before.size);
});
