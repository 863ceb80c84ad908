import { createSearchKernel, FLOAT_LANES } from './search-kernel.ts';

/** Rows whose distances are taken in one go. */
export const ROW_BLOCK = 8_192;

const PAGE = 65_536;
const MAX_PAGES = 65_536;

export type PackedRows = {
  /** Numbers from the beginning of one row to that of the next: `length`, and zeros up to a whole number of vectors. */
  readonly stride: number;
  /** All rows, one after the other. A view that is made anew when the rows grow. */
  readonly values: Float32Array;
  put(row: number, values: Float32Array): void;
  move(from: number, to: number): void;
  get(row: number): Float32Array;
  aim(query: Float32Array): void;
  /** Squared distances of `count` rows to the query: those of `rows`, or without it the ones from `first` on. */
  distances(count: number, rows: Int32Array | undefined, first?: number): Float32Array;
  /** The same of one row, but summed in doubles. */
  exactDistance(row: number): number;
};

/**
 * Rows of float32 numbers, packed into one array, with a vectorised distance. The array is the memory of a WebAssembly instance,
 * which grows where it stands: a gallery of a million photos is never copied.
 */
export function createPackedRows(length: number): PackedRows {
  const stride = Math.ceil(length / FLOAT_LANES) * FLOAT_LANES;
  const rowBytes = stride * 4;
  const indicesAt = Math.ceil(rowBytes / 64) * 64;
  const countedAt = indicesAt + ROW_BLOCK * 4;
  const outAt = countedAt + ROW_BLOCK * 4;
  const rowsAt = Math.ceil((outAt + ROW_BLOCK * 4) / PAGE) * PAGE;
  const memory = new WebAssembly.Memory({ initial: rowsAt / PAGE + 1, maximum: MAX_PAGES });
  const kernel = createSearchKernel(memory);

  let query: Float32Array;
  let indices: Int32Array;
  let out: Float32Array;
  let values: Float32Array;
  view();
  new Int32Array(memory.buffer, countedAt, ROW_BLOCK).set(Array.from({ length: ROW_BLOCK }, (_, i) => i));

  function view(): void {
    query = new Float32Array(memory.buffer, 0, stride);
    indices = new Int32Array(memory.buffer, indicesAt, ROW_BLOCK);
    out = new Float32Array(memory.buffer, outAt, ROW_BLOCK);
    values = new Float32Array(memory.buffer, rowsAt);
  }

  function makeRoom(rows: number): void {
    if (rows * stride <= values.length) return;
    const size = memory.buffer.byteLength / PAGE;
    const needed = Math.ceil((rowsAt + rows * rowBytes) / PAGE);
    memory.grow(Math.max(needed, Math.min(MAX_PAGES, Math.ceil(size * 1.5))) - size);
    view();
  }

  return {
    stride,
    get values() {
      return values;
    },
    put(row, numbers) {
      makeRoom(row + 1);
      values.set(numbers, row * stride);
    },
    move(from, to) {
      values.copyWithin(to * stride, from * stride, (from + 1) * stride);
    },
    get: (row) => values.slice(row * stride, row * stride + length),
    aim: (numbers) => query.set(numbers),
    distances(count, rows, first = 0) {
      if (count === 0) return out.subarray(0, 0);
      if (rows) indices.set(rows.subarray(0, count));
      kernel.distances(rowsAt + first * rowBytes, rowBytes, rows ? indicesAt : countedAt, count, 0, outAt);
      return out;
    },
    exactDistance(row) {
      let sum = 0;
      for (let i = 0, at = row * stride; i < length; i++, at++) sum += (query[i]! - values[at]!) ** 2;
      return sum;
    },
  };
}
