import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { tempFolder } from '../../../../test/harness/temp-folder.ts';
import { createGraphBuilder } from '../../scripts/models/graph-builder.ts';
import { encodeOnnx } from '../../scripts/models/onnx.ts';
import { builtInModel, readModel } from '../../src/engine/descriptor-model.ts';
import { apply } from '../../src/engine/similarity.ts';
import { demoPhoto, distance, startEngine } from './photos.ts';

// Networks run here, perhaps beside much else on a small machine.
vi.setConfig({ testTimeout: 60_000 });

let folder: string;

beforeEach(() => {
  folder = tempFolder('model');
});

const DESCRIPTION = {
  name: 'tiny',
  file: 'tiny.onnx',
  inputSize: 112,
  mean: 127.5,
  divisor: 128,
  channelOrder: 'bgr',
  alignment: 'arcface',
  length: 16,
  metric: 'cosine',
  threshold: 0.4,
};

/** A network that a user might bring: a convolution and a layer of sums, with weights out of a hat. */
async function bringModel(changes: Partial<Record<keyof typeof DESCRIPTION, unknown>> = {}): Promise<string> {
  const description = { ...DESCRIPTION, ...changes };
  const size = Number(description.inputSize);
  const graph = createGraphBuilder('tiny');
  const weights = (shape: number[]) => {
    const data = new Float32Array(shape.reduce((product, length) => product * length, 1));
    return { shape, data: data.map((_, i) => Math.sin(3 * i + 1) / 10) };
  };
  const input = graph.input('data', [1, 3, size, size]);
  const convolved = graph.relu(graph.conv(input, { filter: weights([3, 3, 3, 8]), stride: 2 }));
  graph.output('fc1', graph.dense(graph.globalMean(convolved), weights([8, 16])));
  await writeFile(join(folder, 'tiny.onnx'), encodeOnnx(graph.graph));
  await writeFile(join(folder, 'model.json'), JSON.stringify(description));
  return folder;
}

test.each([
  { alignment: 'arcface', metric: 'cosine', channelOrder: 'bgr', inputSize: 112 },
  { alignment: 'dlib', metric: 'euclidean', channelOrder: 'rgb', inputSize: 96 },
])('describes faces by a model of the user, $alignment and $metric', async (changes) => {
  const photo = await demoPhoto(6);
  for (const runtime of ['native', 'wasm'] as const) {
    const engine = await startEngine(runtime, await bringModel(changes));

    const { faces } = await engine.analyse(photo);

    expect(engine.model).toEqual({ name: 'tiny', length: 16, metric: changes.metric, threshold: 0.4 });
    expect(faces).toHaveLength(4);
    for (const { descriptor } of faces) {
      expect(descriptor).toHaveLength(16);
      const length = Math.hypot(...descriptor);
      if (changes.metric === 'cosine') expect(length).toBeCloseTo(1, 5);
      else expect(Math.abs(length - 1)).toBeGreaterThan(0.01);
    }
    const [first, second] = faces.map((face) => face.descriptor);
    expect(distance(first ?? new Float32Array(), second ?? new Float32Array())).toBeGreaterThan(1e-4);
  }
});

test('refuses a network that gives another number of values than its description says', async () => {
  const engine = await startEngine('native', await bringModel({ length: 128 }));
  await expect(engine.analyse(await demoPhoto(6))).rejects.toThrow('model tiny gave 16 numbers, not 128');
});

test.each([
  { changes: { threshold: undefined }, says: 'threshold' },
  { changes: { file: '../elsewhere.onnx' }, says: 'a file beside model.json' },
  { changes: { alignment: 'vertical' }, says: 'alignment' },
  { changes: { means: 1 }, says: 'means' },
])('names what is wrong with a description: $says', async ({ changes, says }) => {
  await expect(readModel(await bringModel(changes))).rejects.toThrow(says);
});

test('names the file that is not there', async () => {
  await expect(readModel(folder)).rejects.toThrow(`${join(folder, 'model.json')} cannot be read`);
});

test('brings eyes, nose and mouth to where ArcFace wants them', async () => {
  const model = await readModel(await bringModel());
  // Someone whose features lie just there, half as large and further right.
  const template = [38.2946, 51.6963, 73.5318, 51.5014, 56.0252, 71.7366, 41.5493, 92.3655, 70.7299, 92.2041];
  const face = template.map((value, i) => value / 2 + (i % 2 === 0 ? 30 : 0));
  const landmarks = new Float32Array(136);
  const place = (points: number[], at: number) => {
    for (const point of points) landmarks.set(face.slice(2 * at, 2 * at + 2), 2 * point);
  };
  place([36, 37, 38, 39, 40, 41], 0);
  place([42, 43, 44, 45, 46, 47], 1);
  place([30], 2);
  place([48], 3);
  place([54], 4);

  const placed = apply(model.align(landmarks), face);

  for (const [i, value] of template.entries()) expect(placed[i]).toBeCloseTo(value, 2);
});

test("has a model of its own, with dlib's numbers", async () => {
  expect(builtInModel('/models')).toMatchObject({
    length: 128,
    metric: 'euclidean',
    inputSize: 150,
    file: '/models/descriptor.onnx',
  });
  expect((await readFile(new URL('../../models/descriptor.onnx', import.meta.url))).length).toBeGreaterThan(20e6);
});
