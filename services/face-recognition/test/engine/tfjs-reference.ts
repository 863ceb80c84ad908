// What the packages themselves compute, on tfjs: run by models.test.ts as a program of its own, since tfjs's parts do not find each other under
// the test runner's import conditions. Prints JSON.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type * as tfjs from '@tensorflow/tfjs';
import { noise } from './noise.ts';

type Net = { loadFromDisk(folder: string): Promise<void>; forward(input: tfjs.Tensor): Promise<tfjs.Tensor> };
type FaceApi = { tf: typeof tfjs; nets: { faceLandmark68Net: Net; faceRecognitionNet: Net } };
type Topology = { node: { op: string; attr?: object }[] };

const require = createRequire(import.meta.url);
const { tf, nets } = require('@vladmandic/face-api/dist/face-api.node-wasm.js') as FaceApi;
const { setWasmPaths } = require('@tensorflow/tfjs-backend-wasm') as { setWasmPaths(folder: string): void };
setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
await tf.setBackend('wasm');
await tf.ready();

const faceApiModels = join(dirname(require.resolve('@vladmandic/face-api')), '../model');
const humanModels = join(dirname(require.resolve('@vladmandic/human')), '../models');

async function runNet(net: Net, size: number): Promise<number[]> {
  await net.loadFromDisk(faceApiModels);
  return [...(await (await net.forward(tf.tensor4d(noise(size, size), [1, size, size, 3]))).data())];
}

async function runBlazeface(width: number, height: number): Promise<{ scores: number[]; boxes: number[] }> {
  const json = JSON.parse(await readFile(join(humanModels, 'blazeface.json'), 'utf8'));
  const weights = await readFile(join(humanModels, 'blazeface.bin'));
  const model = await tf.loadGraphModel({
    load: async () => ({
      modelTopology: withOpenShape(json.modelTopology),
      weightSpecs: json.weightsManifest[0].weights,
      weightData: Uint8Array.from(weights).buffer,
    }),
  });
  const input = tf.tensor4d(
    noise(width, height).map((value) => value / 127.5 - 1),
    [1, height, width, 3],
  );
  // Before they are reshaped, which only 256 x 256 can be; the order of the values is the same.
  const names = [33, 34, 35, 36].map((layer) => `StatefulPartitionedCall/functional_1/conv2d_${layer}/BiasAdd`);
  const outputs = await Promise.all((model.execute(input, names) as tfjs.Tensor[]).map((tensor) => tensor.data()));
  const [scores16 = [], scores8 = [], boxes16 = [], boxes8 = []] = outputs.map((values) => [...values]);
  return { scores: [...scores16, ...scores8].map((value) => 1 / (1 + Math.exp(-value))), boxes: [...boxes16, ...boxes8] };
}

function withOpenShape({ node, ...rest }: Topology): Topology {
  const open = { shape: { shape: { dim: ['1', '-1', '-1', '3'].map((size) => ({ size })) } } };
  return { ...rest, node: node.map((each) => (each.op === 'Placeholder' ? { ...each, attr: { ...each.attr, ...open } } : each)) };
}

console.log(
  JSON.stringify({
    points: await runNet(nets.faceLandmark68Net, 112),
    descriptor: await runNet(nets.faceRecognitionNet, 150),
    square: await runBlazeface(256, 256),
    wide: await runBlazeface(256, 160),
  }),
);
