import { createNameRows } from './name-rows.ts';
import { createNearestRows } from './nearest-rows.ts';
import { createPackedRows, ROW_BLOCK } from './packed-rows.ts';
import { createRowFilter, FILTER_BLOCK, type RowFilter } from './row-filter.ts';

/** How many known photos at most come back for a face: enough that the three nearest people are among them. */
export const MAX_CANDIDATES = 32;

export type Neighbour = { name: string; distance: number };

export type SearchIndex = {
  readonly size: number;
  /** Adds a known photo, or replaces its descriptor. */
  put(name: string, descriptor: Float32Array): void;
  remove(name: string): boolean;
  descriptorOf(name: string): Float32Array | undefined;
  /** The nearest known photos, nearest first, equally near ones by name. */
  nearest(query: Float32Array): Neighbour[];
  /** The distance to the nearest of these names; infinite where none of them is known. */
  distanceAmong(query: Float32Array, names: readonly string[]): number;
};

export type SearchIndexOptions = {
  length: number;
  metric: 'euclidean' | 'cosine';
  /** How many rows make a filter worth its while; below, reading all of them takes half a millisecond. */
  filterFrom?: number;
};

const FILTER_FROM = 16_384;
/** The filter's axes are found on the first rows, and once more when there are so many times as many. */
const RETRAIN_FACTOR = 8;
const SAMPLE_ROWS = 8_192;
/** Rows read in full at first, for a bound that the filter can work with. */
const FIRST_ROWS = 1_024;

/**
 * Known photos' descriptors, packed row after row. A search reads what the filter leaves over, which is what a scan of all rows
 * would find, not an approximation of it. A cosine model's rows are brought to length 1, where half the squared euclidean
 * distance is the cosine distance, so there is one search for both.
 */
export function createSearchIndex({ length, metric, filterFrom = FILTER_FROM }: SearchIndexOptions): SearchIndex {
  const names: string[] = [];
  const rowOf = createNameRows((row) => names[row]!);
  const packed = createPackedRows(length);
  const prepared = new Float32Array(length);
  const found = createNearestRows(MAX_CANDIDATES, (row) => names[row]!);
  const exact = createNearestRows(MAX_CANDIDATES, (row) => names[row]!);
  const amongRows = new Int32Array(ROW_BLOCK);
  let filter: RowFilter | undefined;
  let trainAt = filterFrom;

  const toDistance = metric === 'cosine' ? (squared: number) => squared / 2 : Math.sqrt;

  /** The descriptor as it is kept and searched for; valid until the next call. */
  function prepare(descriptor: Float32Array): Float32Array {
    if (descriptor.length !== length) throw new RangeError(`a descriptor has ${length} numbers, not ${descriptor.length}`);
    if (metric === 'euclidean') return descriptor;
    let sum = 0;
    for (const value of descriptor) sum += value * value;
    const scale = sum > 0 ? 1 / Math.sqrt(sum) : 1;
    for (let i = 0; i < length; i++) prepared[i] = descriptor[i]! * scale;
    return prepared;
  }

  function train(): void {
    const { stride, values } = packed;
    const every = Math.max(1, Math.floor(names.length / SAMPLE_ROWS));
    filter = createRowFilter(values, { rows: Math.floor(names.length / every), length, stride: stride * every });
    for (let row = 0; row < names.length; row++) filter.put(row, values.subarray(row * stride, row * stride + length));
    trainAt = trainAt === filterFrom ? filterFrom * RETRAIN_FACTOR : Number.POSITIVE_INFINITY;
  }

  function offer(rows: Int32Array | undefined, first: number, count: number): void {
    const distances = packed.distances(count, rows, first);
    // What is beyond the bound is turned away here, so that a search calls nothing for the many.
    let bound = found.bound;
    for (let i = 0; i < count; i++) {
      if (!(distances[i]! <= bound)) continue;
      found.offer(rows ? rows[i]! : first + i, distances[i]!);
      bound = found.bound;
    }
  }

  function scan(from: number, to: number): void {
    for (let first = from; first < to; first += ROW_BLOCK) offer(undefined, first, Math.min(ROW_BLOCK, to - first));
  }

  function search(query: Float32Array): void {
    packed.aim(query);
    found.clear();
    scan(0, filter ? Math.min(FIRST_ROWS, names.length) : names.length);
    if (!filter) return;
    filter.aim(query);
    for (let first = FIRST_ROWS; first < names.length; first += FILTER_BLOCK) {
      const some = filter.select(first, Math.min(FILTER_BLOCK, names.length - first), found.bound);
      offer(some, 0, some.length);
    }
  }

  return {
    get size() {
      return names.length;
    },
    put(name, descriptor) {
      const row = rowOf.get(name) ?? names.length;
      const values = prepare(descriptor);
      packed.put(row, values);
      filter?.put(row, values);
      names[row] = name;
      rowOf.set(name, row);
      if (names.length >= trainAt) train();
    },
    remove(name) {
      const row = rowOf.get(name);
      if (row === undefined) return false;
      rowOf.delete(name);
      const last = names.length - 1;
      const moved = names[last]!;
      if (row !== last) {
        packed.move(last, row);
        filter?.move(last, row);
        names[row] = moved;
        rowOf.set(moved, row);
      }
      names.pop();
      return true;
    },
    descriptorOf(name) {
      const row = rowOf.get(name);
      return row === undefined ? undefined : packed.get(row);
    },
    nearest(descriptor) {
      search(prepare(descriptor));
      // The order of the few is that of distances in doubles.
      exact.clear();
      for (let i = 0; i < found.size; i++) exact.offer(found.rows[i]!, packed.exactDistance(found.rows[i]!));
      return Array.from({ length: exact.size }, (_, i) => ({
        name: names[exact.rows[i]!]!,
        distance: toDistance(exact.distances[i]!),
      }));
    },
    distanceAmong(descriptor, among) {
      packed.aim(prepare(descriptor));
      let nearest = Number.POSITIVE_INFINITY;
      for (let at = 0; at < among.length; at += ROW_BLOCK) {
        let count = 0;
        for (const name of among.slice(at, at + ROW_BLOCK)) {
          const row = rowOf.get(name);
          if (row !== undefined) amongRows[count++] = row;
        }
        const distances = packed.distances(count, amongRows);
        for (let i = 0; i < count; i++) if (distances[i]! < nearest) nearest = packed.exactDistance(amongRows[i]!);
      }
      return toDistance(nearest);
    },
  };
}
