import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createGraphBuilder, type Filter, type GraphBuilder, type Tensor } from './graph-builder.ts';
import type { Graph } from './onnx.ts';
import { type Manifest, readWeights, type Weights } from './tfjs-weights.ts';

/**
 * `faceLandmark68Net` of `@vladmandic/face-api`, layer by layer as its src/faceFeatureExtractor has it.
 * In: `face` [1, 3, 112, 112], mean subtracted and divided by 255. Out: `points` [1, 136], x and y of 68 points, 0 to 1 of the crop.
 */
export async function landmarkGraph(folder: string): Promise<Graph> {
  const weights = await readManifest(folder, 'face_landmark_68_model');
  const graph = createGraphBuilder('face_landmark_68');
  let x = graph.input('face', [1, 3, 112, 112]);
  for (const block of ['dense0', 'dense1', 'dense2', 'dense3']) x = denseBlock(graph, weights, x, block);
  graph.output('points', graph.dense(graph.globalMean(x), weights('fc/weights'), weights('fc/bias').data));
  return graph.graph;
}

function denseBlock(graph: GraphBuilder, weights: Weights, input: Tensor, block: string): Tensor {
  const separable = (x: Tensor, name: string, stride = 1) => {
    const spread = graph.conv(x, { filter: weights(`${block}/${name}/depthwise_filter`), stride, depthwise: true });
    return graph.conv(spread, {
      filter: weights(`${block}/${name}/pointwise_filter`),
      bias: weights(`${block}/${name}/bias`).data,
    });
  };
  const out1 = graph.relu(
    block === 'dense0'
      ? graph.conv(input, { filter: weights('dense0/conv0/filters'), bias: weights('dense0/conv0/bias').data, stride: 2 })
      : separable(input, 'conv0', 2),
  );
  const out2 = separable(out1, 'conv1');
  const sum2 = graph.add(out1, out2);
  const out3 = separable(graph.relu(sum2), 'conv2');
  const sum3 = graph.add(sum2, out3);
  const out4 = separable(graph.relu(sum3), 'conv3');
  return graph.relu(graph.add(sum3, out4));
}

/**
 * `faceRecognitionNet` of `@vladmandic/face-api`: dlib's ResNet (dlib_face_recognition_resnet_model_v1) with 8-bit weights.
 * In: `face` [1, 3, 150, 150], mean subtracted and divided by 255. Out: `descriptor` [1, 128].
 */
export async function descriptorGraph(folder: string): Promise<Graph> {
  const weights = await readManifest(folder, 'face_recognition_model');
  const graph = createGraphBuilder('face_recognition');

  let x = graph.relu(scaledConv(graph, weights, graph.input('face', [1, 3, 150, 150]), 'conv32_down', 2, 'valid'));
  x = graph.pool('MaxPool', x, 3, 2, 'valid');
  for (const layer of ['conv32_1', 'conv32_2', 'conv32_3']) x = residual(graph, weights, x, layer);
  x = residualDown(graph, weights, x, 'conv64_down');
  for (const layer of ['conv64_1', 'conv64_2', 'conv64_3']) x = residual(graph, weights, x, layer);
  x = residualDown(graph, weights, x, 'conv128_down');
  for (const layer of ['conv128_1', 'conv128_2']) x = residual(graph, weights, x, layer);
  x = residualDown(graph, weights, x, 'conv256_down');
  for (const layer of ['conv256_1', 'conv256_2']) x = residual(graph, weights, x, layer);
  x = residualDown(graph, weights, x, 'conv256_down_out');

  graph.output('descriptor', graph.dense(graph.globalMean(x), weights('fc')));
  return graph.graph;
}

function residual(graph: GraphBuilder, weights: Weights, input: Tensor, layer: string): Tensor {
  const inner = graph.relu(scaledConv(graph, weights, input, `${layer}/conv1`, 1, 'same'));
  return graph.relu(graph.add(scaledConv(graph, weights, inner, `${layer}/conv2`, 1, 'same'), input));
}

/** Halves the size. Whichever branch comes out smaller, in pixels or in channels, is filled up with zeros at its end, as dlib does. */
function residualDown(graph: GraphBuilder, weights: Weights, input: Tensor, layer: string): Tensor {
  const inner = graph.relu(scaledConv(graph, weights, input, `${layer}/conv1`, 2, 'valid'));
  const out = scaledConv(graph, weights, inner, `${layer}/conv2`, 1, 'same');
  const pooled = graph.pool('AveragePool', input, 2, 2, 'valid');
  const shape = out.shape.map((size, axis) => Math.max(size, pooled.shape[axis] ?? 0));
  return graph.relu(graph.add(graph.padTo(out, shape), graph.padTo(pooled, shape)));
}

/** A convolution and the scale and shift that follow it, as one convolution. */
function scaledConv(
  graph: GraphBuilder,
  weights: Weights,
  input: Tensor,
  layer: string,
  stride: number,
  padding: 'same' | 'valid',
) {
  const filter = weights(`${layer}/conv/filters`);
  const scale = weights(`${layer}/scale/weights`).data;
  const shift = weights(`${layer}/scale/biases`).data;
  const bias = weights(`${layer}/conv/bias`).data;
  return graph.conv(input, {
    filter: scaleOutputs(filter, scale),
    bias: bias.map((value, channel) => value * (scale[channel] ?? 1) + (shift[channel] ?? 0)),
    stride,
    padding,
  });
}

function scaleOutputs({ shape, data }: Filter, scale: Float32Array): Filter {
  return { shape, data: data.map((value, at) => value * (scale[at % scale.length] ?? 1)) };
}

async function readManifest(folder: string, model: string): Promise<Weights> {
  return readWeights(folder, JSON.parse(await readFile(join(folder, `${model}-weights_manifest.json`), 'utf8')) as Manifest);
}
