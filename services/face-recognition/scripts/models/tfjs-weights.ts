import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Filter } from './graph-builder.ts';

type Entry = {
  name: string;
  shape: number[];
  dtype: 'float32' | 'int32';
  quantization?: { dtype: 'uint8'; scale: number; min: number };
};
export type Manifest = { paths: string[]; weights: Entry[] }[];

/** Weights by name, as tfjs has them after loading. */
export type Weights = (name: string) => Filter;

/** `manifest` is what a model's JSON lists; its `.bin` files lie in `folder`, one tensor after the other. */
export async function readWeights(folder: string, manifest: Manifest): Promise<Weights> {
  const tensors = new Map<string, Filter>();
  for (const { paths, weights } of manifest) {
    const bytes = Buffer.concat(await Promise.all(paths.map((path) => readFile(join(folder, path)))));
    let offset = 0;
    for (const entry of weights) {
      const count = entry.shape.reduce((product, size) => product * size, 1);
      const length = count * (entry.quantization ? 1 : 4);
      tensors.set(entry.name, { shape: entry.shape, data: decode(entry, bytes.subarray(offset, offset + length)) });
      offset += length;
    }
    if (offset !== bytes.length) throw new Error(`${paths.join(', ')}: ${bytes.length} bytes, but the manifest names ${offset}`);
  }
  return (name) => {
    const tensor = tensors.get(name);
    if (!tensor) throw new Error(`no weights named ${name} in ${folder}`);
    return tensor;
  };
}

function decode({ dtype, quantization }: Entry, bytes: Buffer): Float32Array {
  if (quantization) return Float32Array.from(bytes, (byte) => byte * quantization.scale + quantization.min);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) =>
    dtype === 'int32' ? view.getInt32(4 * i, true) : view.getFloat32(4 * i, true),
  );
}
