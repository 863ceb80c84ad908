import { bytesField, type Field, messageField, varintField } from './protobuf.ts';

export type Attribute = number | string | number[];
export type Node = { op: string; inputs: string[]; output: string; attributes: Record<string, Attribute> };
export type Initializer = { name: string; shape: number[]; data: Float32Array | BigInt64Array };
/** A name instead of a size: known only when the graph runs. */
export type Value = { name: string; shape: (number | string)[] };
export type Graph = { name: string; inputs: Value[]; outputs: Value[]; nodes: Node[]; initializers: Initializer[] };

// Version 13 is the oldest that has every operator used here in its present form, so that an old runtime reads it too.
const OPSET = 13;
const IR_VERSION = 7;
const FLOAT = 1;
const INT64 = 7;

/** Field numbers are those of onnx.proto3 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3). The same graph gives the same bytes. */
export function encodeOnnx(graph: Graph): Uint8Array {
  return Buffer.concat([
    varintField(1, IR_VERSION),
    bytesField(2, 'kube-face'),
    messageField(7, [
      ...graph.nodes.map((node) => messageField(1, encodeNode(node))),
      bytesField(2, graph.name),
      ...graph.initializers.map((tensor) => messageField(5, encodeTensor(tensor))),
      ...graph.inputs.map((value) => messageField(11, encodeValue(value))),
      ...graph.outputs.map((value) => messageField(12, encodeValue(value))),
    ]),
    messageField(8, [bytesField(1, ''), varintField(2, OPSET)]),
  ]);
}

function encodeNode({ op, inputs, output, attributes }: Node): Field[] {
  return [
    ...inputs.map((name) => bytesField(1, name)),
    bytesField(2, output),
    bytesField(3, output),
    bytesField(4, op),
    ...Object.entries(attributes).map(([name, value]) => messageField(5, encodeAttribute(name, value))),
  ];
}

function encodeAttribute(name: string, value: Attribute): Field[] {
  const head = bytesField(1, name);
  if (typeof value === 'number') return [head, varintField(3, value), varintField(20, 2)];
  if (typeof value === 'string') return [head, bytesField(4, value), varintField(20, 3)];
  return [head, ...value.map((item) => varintField(8, item)), varintField(20, 7)];
}

function encodeTensor({ name, shape, data }: Initializer): Field[] {
  return [
    ...shape.map((size) => varintField(1, size)),
    varintField(2, data instanceof Float32Array ? FLOAT : INT64),
    bytesField(8, name),
    bytesField(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ];
}

function encodeValue({ name, shape }: Value): Field[] {
  const dimensions = messageField(
    2,
    shape.map((size) => messageField(1, [typeof size === 'number' ? varintField(1, size) : bytesField(2, size)])),
  );
  return [bytesField(1, name), messageField(2, [messageField(1, [varintField(1, FLOAT), dimensions])])];
}
