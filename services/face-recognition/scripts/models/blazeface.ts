import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createGraphBuilder, type Tensor } from './graph-builder.ts';
import type { Graph } from './onnx.ts';
import { type Manifest, readWeights } from './tfjs-weights.ts';

type List = { list?: { i?: string[]; s?: string[] } };
type TfNode = {
  op: string;
  name: string;
  input?: string[];
  attr?: { strides?: List; padding?: { s: string }; ksize?: List; fused_ops?: List };
};
type TfModel = { modelTopology: { node: TfNode[] }; weightsManifest: Manifest };

/**
 * MediaPipe's BlazeFace, back camera, as `@vladmandic/human` ships it. In: `photo` [1, 3, height, width], values -1 to 1; it was trained at
 * 256 x 256, and its layers (nothing but convolutions) take any multiple of 32.
 * Out: `scores` [1, anchors, 1], 0 to 1, and `boxes` [1, anchors, 16]: two anchors for each cell of 16 x 16 pixels, then six for each of
 * 32 x 32, row by row. 256 x 256 has 896.
 */
export async function blazefaceGraph(folder: string): Promise<Graph> {
  const model = JSON.parse(await readFile(join(folder, 'blazeface.json'), 'utf8')) as TfModel;
  const weights = await readWeights(folder, model.weightsManifest);
  const graph = createGraphBuilder('blazeface');
  const tensors = new Map<string, Tensor>([['input', graph.input('photo', [1, 3, 256, 256], [1, 3, 'height', 'width'])]]);

  const nodes = new Map(model.modelTopology.node.map((node) => [node.name, node]));
  const tensor = (name: string): Tensor => {
    const known = tensors.get(name) ?? build(nodes.get(name) ?? fail(`the graph has no node ${name}`));
    tensors.set(name, known);
    return known;
  };

  function build(node: TfNode): Tensor {
    const [first = '', second = '', third = ''] = node.input ?? [];
    const stride = Number(node.attr?.strides?.list?.i?.[1] ?? 1);
    const padding = text(node.attr?.padding?.s) === 'SAME' ? 'same' : 'valid';
    switch (node.op) {
      case '_FusedConv2D': {
        const filter = weights(second);
        // A 1x1 filter needs no padding, whatever its node says.
        const out = graph.conv(tensor(first), { filter, bias: weights(third).data, stride, padding });
        return node.attr?.fused_ops?.list?.s?.some((op) => text(op) === 'Relu') ? graph.relu(out) : out;
      }
      case 'DepthwiseConv2dNative':
        return graph.conv(tensor(first), { filter: weights(second), stride, padding, depthwise: true });
      case 'AddV2':
        return graph.add(tensor(first), tensor(second));
      case 'Relu':
        return graph.relu(tensor(first));
      case 'MaxPool':
        return graph.pool('MaxPool', tensor(first), Number(node.attr?.ksize?.list?.i?.[1]), stride, padding);
      case 'Pad': {
        const input = tensor(first);
        // [batch, height, width, channels], before and after each; this network pads channels at the end.
        const channelsAfter = weights(second).data[7] ?? 0;
        return graph.padTo(
          input,
          input.shape.map((size, axis) => (axis === 1 ? size + channelsAfter : size)),
        );
      }
      case 'Reshape':
        return graph.channelsLast(tensor(first), weights(second).data[2] ?? 0);
      case 'Identity':
        return tensor(first);
      default:
        return fail(`no translation of ${node.op}`);
    }
  }

  const scores = graph.concat(tensor('Identity'), tensor('Identity_1'));
  const boxes = graph.concat(tensor('Identity_2'), tensor('Identity_3'));
  graph.output('scores', graph.sigmoid(scores), [1, 'anchors', 1]);
  graph.output('boxes', boxes, [1, 'anchors', 16]);
  return graph.graph;
}

const text = (base64: string | undefined) => Buffer.from(base64 ?? '', 'base64').toString();

function fail(message: string): never {
  throw new Error(`blazeface: ${message}`);
}
