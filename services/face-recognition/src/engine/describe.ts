import type { DescriptorModel } from './descriptor-model.ts';
import { free } from './memory.ts';
import type { Raster } from './raster.ts';
import type { Network } from './runtime.ts';
import { sample } from './sample.ts';
import { invert, type Points } from './similarity.ts';

export type Description = { descriptor: Float32Array; sharpness: number };

/** The numbers that stand for a face; `mirrored` means over the face and its mirror image. Those of a cosine model come with length 1. */
export async function describeFace(
  network: Network,
  model: DescriptorModel,
  raster: Raster,
  landmarks: Points,
  mirrored: boolean,
): Promise<Description> {
  const size = model.inputSize;
  const chip = sample(raster, invert(model.align(landmarks)), {
    ...model.normalisation,
    width: size,
    height: size,
    coarseness: 1.25,
    outside: 'nearest',
  });
  const sharpness = sharpnessOf(chip, size, model.normalisation.divisor);
  let descriptor = await run(chip);
  if (mirrored) {
    const other = await run(mirror(chip, size));
    descriptor = descriptor.map((value, i) => (value + other[i]!) / 2);
  }
  free(chip);
  return { descriptor: model.metric === 'cosine' ? toUnitLength(descriptor) : descriptor, sharpness };

  async function run(input: Float32Array): Promise<Float32Array> {
    const [values] = Object.values(await network.run(input, [1, 3, size, size]));
    if (values?.length !== model.length)
      throw new Error(`model ${model.name} gave ${values?.length ?? 'no'} numbers, not ${model.length}`);
    return values.slice();
  }
}

/** Turns each row about, in place. */
function mirror(chip: Float32Array, size: number): Float32Array {
  for (let row = 0; row < chip.length; row += size) chip.subarray(row, row + size).reverse();
  return chip;
}

function toUnitLength(values: Float32Array): Float32Array {
  const length = Math.hypot(...values) || 1;
  return values.map((value) => value / length);
}

/** Variance of the Laplacian of the green plane, which stands for the grey levels: low where nothing has an edge. */
function sharpnessOf(chip: Float32Array, size: number, divisor: number): number {
  const green = size * size;
  let sum = 0;
  let squares = 0;
  for (let y = 1; y < size - 1; y++) {
    for (let x = 1; x < size - 1; x++) {
      const at = green + y * size + x;
      const value = chip[at - size]! + chip[at + size]! + chip[at - 1]! + chip[at + 1]! - 4 * chip[at]!;
      sum += value;
      squares += value * value;
    }
  }
  const count = (size - 2) ** 2;
  return (squares / count - (sum / count) ** 2) * divisor * divisor;
}
