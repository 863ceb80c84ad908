import { principalAxes } from './principal-axes.ts';
import { createSearchKernel, FILTER_BYTES } from './search-kernel.ts';

/**
 * A short stand-in for every row, so that a search need not read all of them: where the row lies along the few directions in
 * which rows differ most, each rounded to a signed byte. Why nothing is lost: a distance along some orthonormal axes is at most
 * the whole distance; cutting both ends off at ±127 brings no two points further apart; and how far rounding moves a point is
 * measured. So the stand-in of a row nearer than `r` is nearer than `r` and what rounding has moved both ends by, and only rows
 * whose stand-in is as near have to be looked at.
 */
export type RowFilter = {
  /** Takes the row's stand-in up, in that place. */
  put(row: number, descriptor: Float32Array): void;
  /** Copies a stand-in to another place. */
  move(from: number, to: number): void;
  /** Makes ready for searches for this query. */
  aim(query: Float32Array): void;
  /**
   * Writes to `found` the numbers of those of the `count` rows from `first` on that may be within `squared` of the query, and
   * says how many. It is a view of memory that the next call overwrites.
   */
  select(first: number, count: number, squared: number): Int32Array;
};

/** Rows that are filtered in one go. */
export const FILTER_BLOCK = 8_192;

// In steps, four standard deviations of the widest axis fill a byte: hardly a row is cut off.
const STEPS_PER_DEVIATION = 127 / 4;

const QUERY_AT = 0;
const FOUND_AT = 64;
const ROWS_AT = 65_536;
const PAGE = 65_536;
const MAX_PAGES = 65_536;

export function createRowFilter(
  sample: Float32Array,
  { rows, length, stride }: { rows: number; length: number; stride: number },
): RowFilter {
  const { axes, centre, spread } = principalAxes(sample, { rows, length, stride, count: FILTER_BYTES });
  const step = Math.max(spread, 1e-6) / STEPS_PER_DEVIATION;
  const memory = new WebAssembly.Memory({ initial: 2, maximum: MAX_PAGES });
  const kernel = createSearchKernel(memory);
  /** In steps: the furthest that rounding has moved a row's stand-in, and how far it has moved the query's. */
  let rowsMoved = 0;
  let queryMoved = 0;
  let bytes = new Int8Array(memory.buffer);
  let found = new Int32Array(memory.buffer, FOUND_AT, FILTER_BLOCK + 1);

  function makeRoom(end: number): void {
    if (end <= bytes.length) return;
    const pages = Math.min(MAX_PAGES, Math.ceil(Math.max(end, bytes.length * 1.5) / PAGE));
    memory.grow(pages - bytes.length / PAGE);
    bytes = new Int8Array(memory.buffer);
    found = new Int32Array(memory.buffer, FOUND_AT, FILTER_BLOCK + 1);
  }

  /** Writes a stand-in and says by how much rounding has moved it, in steps. */
  function write(descriptor: Float32Array, at: number): number {
    let moved = 0;
    for (let k = 0; k < FILTER_BYTES; k++) {
      let along = -centre[k]!;
      for (let i = 0, axis = k * length; i < length; i++, axis++) along += descriptor[i]! * axes[axis]!;
      const steps = Math.max(-127, Math.min(127, along / step));
      const rounded = Math.round(steps);
      bytes[at + k] = rounded;
      moved += (steps - rounded) ** 2;
    }
    return Math.sqrt(moved);
  }

  return {
    put(row, descriptor) {
      makeRoom(ROWS_AT + (row + 1) * FILTER_BYTES);
      rowsMoved = Math.max(rowsMoved, write(descriptor, ROWS_AT + row * FILTER_BYTES));
    },
    move(from, to) {
      const start = ROWS_AT + from * FILTER_BYTES;
      bytes.copyWithin(ROWS_AT + to * FILTER_BYTES, start, start + FILTER_BYTES);
    },
    aim(query) {
      queryMoved = write(query, QUERY_AT);
    },
    select(first, count, squared) {
      // A little more than exact, against the rounding of float32; the largest possible sum where there is no bound.
      const steps = (Math.sqrt(squared) * 1.000_01) / step + rowsMoved + queryMoved;
      const limit = Math.min(steps ** 2 + 1, FILTER_BYTES * 254 ** 2);
      const many = kernel.filter(ROWS_AT + first * FILTER_BYTES, first, count, QUERY_AT, Math.ceil(limit), FOUND_AT);
      return found.subarray(0, many);
    },
  };
}
