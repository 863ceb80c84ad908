import type { Attribute, Graph, Initializer, Node } from './onnx.ts';

/** A float tensor inside the graph; images are [1, channels, height, width]. */
export type Tensor = { name: string; shape: number[] };

/** Weights in tfjs's order: [height, width, in, out], and [height, width, in, 1] where depthwise. */
export type Filter = { shape: number[]; data: Float32Array };

export type Convolution = {
  filter: Filter;
  bias?: Float32Array;
  stride?: number;
  padding?: 'same' | 'valid';
  depthwise?: boolean;
};

export type GraphBuilder = ReturnType<typeof createGraphBuilder>;

/** Draws an ONNX graph layer by layer, with the meaning that tfjs's layers of the same names have, on channels-first tensors. */
export function createGraphBuilder(name: string) {
  const graph: Graph = { name, inputs: [], outputs: [], nodes: [], initializers: [] };

  function node(op: string, inputs: string[], shape: number[], attributes: Node['attributes'] = {}): Tensor {
    const output = `${op.toLowerCase()}_${graph.nodes.length}`;
    graph.nodes.push({ op, inputs, output, attributes });
    return { name: output, shape };
  }

  function constant(data: Initializer['data'], shape: number[]): string {
    const initializer = { name: `constant_${graph.initializers.length}`, shape, data };
    graph.initializers.push(initializer);
    return initializer.name;
  }

  function window(input: Tensor, size: number, stride: number, padding: 'same' | 'valid') {
    const [, , height = 0, width = 0] = input.shape;
    const [top, bottom, outHeight] = along(height, size, stride, padding);
    const [left, right, outWidth] = along(width, size, stride, padding);
    const attributes: Record<string, Attribute> = {
      kernel_shape: [size, size],
      strides: [stride, stride],
      pads: [top, left, bottom, right],
    };
    return { attributes, outHeight, outWidth };
  }

  return {
    graph,

    /** `declared` may leave sizes open; `shape` is one that they may take. */
    input(inputName: string, shape: number[], declared: (number | string)[] = shape): Tensor {
      graph.inputs.push({ name: inputName, shape: declared });
      return { name: inputName, shape };
    },

    output(outputName: string, tensor: Tensor, declared: (number | string)[] = tensor.shape): void {
      graph.nodes.push({ op: 'Identity', inputs: [tensor.name], output: outputName, attributes: {} });
      graph.outputs.push({ name: outputName, shape: declared });
    },

    conv(input: Tensor, { filter, bias, stride = 1, padding = 'same', depthwise = false }: Convolution): Tensor {
      const [size = 0, , channelsIn = 0, perInput = 0] = filter.shape;
      const channelsOut = depthwise ? channelsIn * perInput : perInput;
      const { attributes, outHeight, outWidth } = window(input, size, stride, padding);
      const weights = constant(channelsFirst(filter, depthwise), [channelsOut, depthwise ? 1 : channelsIn, size, size]);
      const inputs = [input.name, weights, ...(bias ? [constant(bias, [channelsOut])] : [])];
      return node('Conv', inputs, [1, channelsOut, outHeight, outWidth], { ...attributes, group: depthwise ? channelsIn : 1 });
    },

    pool(kind: 'MaxPool' | 'AveragePool', input: Tensor, size: number, stride: number, padding: 'same' | 'valid'): Tensor {
      const { attributes, outHeight, outWidth } = window(input, size, stride, padding);
      return node(kind, [input.name], [1, input.shape[1] ?? 0, outHeight, outWidth], attributes);
    },

    relu: (input: Tensor) => node('Relu', [input.name], input.shape),

    add: (left: Tensor, right: Tensor) => node('Add', [left.name, right.name], left.shape),

    /** Appends zeros until the tensor has the shape. */
    padTo(input: Tensor, shape: number[]): Tensor {
      const after = shape.map((size, axis) => size - (input.shape[axis] ?? 0));
      if (after.every((count) => count === 0)) return input;
      const pads = BigInt64Array.from([...shape.map(() => 0n), ...after.map(BigInt)]);
      return node('Pad', [input.name, constant(pads, [pads.length])], shape);
    },

    /** [1, channels, height, width] to [1, height × width × channels / size, size], row by row as tfjs lays it out. */
    channelsLast(input: Tensor, size: number): Tensor {
      const count = input.shape.reduce((product, length) => product * length, 1) / size;
      const transposed = node('Transpose', [input.name], input.shape, { perm: [0, 2, 3, 1] });
      return node('Reshape', [transposed.name, constant(BigInt64Array.from([1n, -1n, BigInt(size)]), [3])], [1, count, size]);
    },

    concat(left: Tensor, right: Tensor): Tensor {
      const [, leftCount = 0, size = 0] = left.shape;
      return node('Concat', [left.name, right.name], [1, leftCount + (right.shape[1] ?? 0), size], { axis: 1 });
    },

    sigmoid: (input: Tensor) => node('Sigmoid', [input.name], input.shape),

    /** The mean over height and width: [1, channels]. */
    globalMean(input: Tensor): Tensor {
      const channels = input.shape[1] ?? 0;
      const mean = node('GlobalAveragePool', [input.name], [1, channels, 1, 1]);
      return node('Flatten', [mean.name], [1, channels], { axis: 1 });
    },

    dense(input: Tensor, weights: Filter, bias?: Float32Array): Tensor {
      const [inSize = 0, outSize = 0] = weights.shape;
      const inputs = [input.name, constant(weights.data, [inSize, outSize]), ...(bias ? [constant(bias, [outSize])] : [])];
      return node('Gemm', inputs, [1, outSize]);
    },
  };
}

/** TensorFlow's `same`: an odd pixel of padding goes to the end. */
function along(
  length: number,
  size: number,
  stride: number,
  padding: 'same' | 'valid',
): [before: number, after: number, out: number] {
  if (padding === 'valid') return [0, 0, Math.floor((length - size) / stride) + 1];
  const out = Math.ceil(length / stride);
  const total = Math.max(0, (out - 1) * stride + size - length);
  return [Math.floor(total / 2), Math.ceil(total / 2), out];
}

function channelsFirst({ shape, data }: Filter, depthwise: boolean): Float32Array {
  const [height = 0, width = 0, channelsIn = 0, perInput = 0] = shape;
  const out = new Float32Array(data.length);
  let at = 0;
  // Depthwise weights hold the outputs of one input side by side, so input is the outer loop there.
  const outer = depthwise ? channelsIn : perInput;
  const inner = depthwise ? perInput : channelsIn;
  for (let a = 0; a < outer; a++) {
    for (let b = 0; b < inner; b++) {
      const [i, o] = depthwise ? [a, b] : [b, a];
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) out[at++] = data[((y * width + x) * channelsIn + i) * perInput + o] ?? 0;
      }
    }
  }
  return out;
}
