/** Enough for the axes to settle; whatever they are, they only decide how much a filter along them leaves over. */
const ROUNDS = 12;

export type Axes = {
  /** `count` orthonormal axes, one after the other. */
  axes: Float32Array;
  /** Where the middle of the rows lies on each. */
  centre: Float32Array;
  /** How far the rows spread along the first one: a standard deviation. */
  spread: number;
};

/**
 * The directions in which rows (of `length` numbers, every `stride` of `packed`) differ most, found by orthogonal iteration on
 * their covariance. Distances along orthonormal axes are never longer than the whole distance.
 */
export function principalAxes(
  packed: Float32Array,
  { rows, length, stride, count }: { rows: number; length: number; stride: number; count: number },
): Axes {
  const mean = new Float64Array(length);
  for (let row = 0; row < rows; row++) for (let i = 0; i < length; i++) mean[i]! += packed[row * stride + i]! / rows;

  const covariance = new Float64Array(length * length);
  const centred = new Float64Array(length);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < length; i++) centred[i] = packed[row * stride + i]! - mean[i]!;
    for (let i = 0; i < length; i++) {
      const value = centred[i]! / rows;
      for (let j = 0; j <= i; j++) covariance[i * length + j]! += value * centred[j]!;
    }
  }
  for (let i = 0; i < length; i++) for (let j = i + 1; j < length; j++) covariance[i * length + j] = covariance[j * length + i]!;

  const axes = Array.from({ length: Math.min(count, length) }, (_, axis) =>
    Float64Array.from({ length }, (__, i) => (i === axis ? 1 : 0)),
  );
  for (let round = 0; round < ROUNDS; round++) {
    for (const axis of axes) axis.set(multiply(covariance, axis));
    orthonormalise(axes);
  }

  const result = { axes: new Float32Array(count * length), centre: new Float32Array(count), spread: 0 };
  for (const [k, axis] of axes.entries()) {
    result.axes.set(axis, k * length);
    result.centre[k] = dot(axis, mean);
    result.spread = Math.max(result.spread, Math.sqrt(Math.max(0, dot(axis, multiply(covariance, axis)))));
  }
  return result;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function multiply(matrix: Float64Array, vector: Float64Array): Float64Array {
  return vector.map((_, row) => dot(matrix.subarray(row * vector.length, (row + 1) * vector.length), vector));
}

/** Gram and Schmidt, twice over, which keeps the axes at right angles to the last bit. One that nothing is left of becomes 0. */
function orthonormalise(axes: Float64Array[]): void {
  for (const [k, axis] of axes.entries()) {
    const before = Math.sqrt(dot(axis, axis));
    for (let pass = 0; pass < 2; pass++) {
      for (const other of axes.slice(0, k)) {
        const along = dot(axis, other);
        for (let i = 0; i < axis.length; i++) axis[i]! -= along * other[i]!;
      }
    }
    const length = Math.sqrt(dot(axis, axis));
    const scale = length > 1e-9 * before && length > 0 ? 1 / length : 0;
    for (let i = 0; i < axis.length; i++) axis[i]! *= scale;
  }
}
