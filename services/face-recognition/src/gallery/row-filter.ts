import { principalAxes } from './principal-axes.ts';
import { createSearchKernel, FILTER_BYTES, FLOAT_LANES } from './search-kernel.ts';

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

// What the rounding of float32 may add to a projection, generously.
const FLOAT_ERROR_STEPS = 0.02;

const PAGE = 65_536;
const MAX_PAGES = 65_536;

type Sample = { rows: number; length: number; stride: number };

/** Learns the directions from a sample: `rows` rows of `length` numbers, each `stride` numbers after the one before. */
export function createRowFilter(sample: Float32Array, { rows, length, stride }: Sample): RowFilter {
  const { axes, centre, spread } = principalAxes(sample, { rows, length, stride, count: FILTER_BYTES });
  const step = Math.max(spread, 1e-6) / STEPS_PER_DEVIATION;

  // The memory: the query's stand-in, a descriptor, the axes, their numbers, what lies along them, what was found, the rows.
  const axisNumbers = Math.ceil(length / FLOAT_LANES) * FLOAT_LANES;
  const queryAt = 0;
  const descriptorAt = 64;
  const axesAt = descriptorAt + axisNumbers * 4;
  const indicesAt = axesAt + FILTER_BYTES * axisNumbers * 4;
  const alongAt = indicesAt + FILTER_BYTES * 4;
  const foundAt = alongAt + FILTER_BYTES * 4;
  const rowsAt = Math.ceil((foundAt + (FILTER_BLOCK + 1) * 4) / PAGE) * PAGE;
  const memory = new WebAssembly.Memory({ initial: rowsAt / PAGE + 1, maximum: MAX_PAGES });
  const kernel = createSearchKernel(memory);

  let { bytes, numbers, found } = viewsOf();
  for (let k = 0; k < FILTER_BYTES; k++) {
    numbers.set(axes.subarray(k * length, (k + 1) * length), (axesAt + k * axisNumbers * 4) / 4);
    new Int32Array(memory.buffer, indicesAt)[k] = k;
  }
  /** In steps: the furthest that rounding has moved a row's stand-in, and how far it has moved the query's. */
  let rowsMoved = 0;
  let queryMoved = 0;

  function viewsOf() {
    const { buffer } = memory;
    return {
      bytes: new Int8Array(buffer),
      numbers: new Float32Array(buffer),
      found: new Int32Array(buffer, foundAt, FILTER_BLOCK + 1),
    };
  }

  function makeRoom(end: number): void {
    if (end <= bytes.length) return;
    const pages = Math.min(MAX_PAGES, Math.ceil(Math.max(end, bytes.length * 1.5) / PAGE));
    memory.grow(pages - bytes.length / PAGE);
    ({ bytes, numbers, found } = viewsOf());
  }

  /** Writes a stand-in and says by how much rounding has moved it, in steps. */
  function write(descriptor: Float32Array, at: number): number {
    numbers.set(descriptor, descriptorAt / 4);
    kernel.products(axesAt, axisNumbers * 4, indicesAt, FILTER_BYTES, descriptorAt, alongAt);
    let moved = 0;
    for (let k = 0; k < FILTER_BYTES; k++) {
      const steps = Math.max(-127, Math.min(127, (numbers[alongAt / 4 + k]! - centre[k]!) / step));
      const rounded = Math.round(steps);
      bytes[at + k] = rounded;
      moved += (steps - rounded) ** 2;
    }
    return Math.sqrt(moved);
  }

  return {
    put(row, descriptor) {
      makeRoom(rowsAt + (row + 1) * FILTER_BYTES);
      rowsMoved = Math.max(rowsMoved, write(descriptor, rowsAt + row * FILTER_BYTES));
    },
    move(from, to) {
      const start = rowsAt + from * FILTER_BYTES;
      bytes.copyWithin(rowsAt + to * FILTER_BYTES, start, start + FILTER_BYTES);
    },
    aim(query) {
      queryMoved = write(query, queryAt);
    },
    select(first, count, squared) {
      // Where there is no bound, the largest possible sum.
      const steps = (Math.sqrt(squared) * 1.000_01) / step + rowsMoved + queryMoved + FLOAT_ERROR_STEPS;
      const limit = Math.min(steps ** 2 + 1, FILTER_BYTES * 254 ** 2);
      const many = kernel.filter(rowsAt + first * FILTER_BYTES, first, count, queryAt, Math.ceil(limit), foundAt);
      return found.subarray(0, many);
    },
  };
}
