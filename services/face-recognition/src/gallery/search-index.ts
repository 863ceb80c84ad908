import { createNearestRows } from './nearest-rows.ts';

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

/**
 * Known photos' descriptors, `length` numbers each, packed row after row into one Float32Array. A cosine model's rows are
 * brought to length 1, where half the squared euclidean distance is the cosine distance, so there is one search for both.
 */
export function createSearchIndex({ length, metric }: { length: number; metric: 'euclidean' | 'cosine' }): SearchIndex {
  const names: string[] = [];
  const rowOf = new Map<string, number>();
  let packed = new Float32Array(64 * length);
  const query = new Float32Array(length);
  const found = createNearestRows(MAX_CANDIDATES, (row) => names[row] as string);

  const toDistance = metric === 'cosine' ? (squared: number) => squared / 2 : Math.sqrt;

  function write(descriptor: Float32Array, target: Float32Array, offset: number): void {
    if (descriptor.length !== length) throw new RangeError(`a descriptor has ${length} numbers, not ${descriptor.length}`);
    let scale = 1;
    if (metric === 'cosine') {
      let sum = 0;
      for (const value of descriptor) sum += value * value;
      scale = sum > 0 ? 1 / Math.sqrt(sum) : 1;
    }
    for (let i = 0; i < length; i++) target[offset + i] = (descriptor[i] as number) * scale;
  }

  /** Squared distance of the query to a row, or anything above `bound` once it is sure to lie above. */
  function squaredDistance(row: number, bound: number): number {
    let sum = 0;
    let at = row * length;
    for (let i = 0; i < length; ) {
      for (const end = Math.min(length, i + 16); i < end; i++, at++) {
        const difference = (query[i] as number) - (packed[at] as number);
        sum += difference * difference;
      }
      if (sum > bound) return sum;
    }
    return sum;
  }

  return {
    get size() {
      return names.length;
    },
    put(name, descriptor) {
      const row = rowOf.get(name) ?? names.length;
      if ((row + 1) * length > packed.length) {
        const larger = new Float32Array(packed.length * 2);
        larger.set(packed);
        packed = larger;
      }
      write(descriptor, packed, row * length);
      names[row] = name;
      rowOf.set(name, row);
    },
    remove(name) {
      const row = rowOf.get(name);
      if (row === undefined) return false;
      const last = names.length - 1;
      const moved = names[last] as string;
      packed.copyWithin(row * length, last * length, (last + 1) * length);
      names[row] = moved;
      rowOf.set(moved, row);
      names.pop();
      rowOf.delete(name);
      return true;
    },
    descriptorOf(name) {
      const row = rowOf.get(name);
      return row === undefined ? undefined : packed.slice(row * length, (row + 1) * length);
    },
    nearest(descriptor) {
      write(descriptor, query, 0);
      found.clear();
      for (let row = 0; row < names.length; row++) found.offer(row, squaredDistance(row, found.bound));
      const neighbours: Neighbour[] = [];
      for (let i = 0; i < found.size; i++) {
        neighbours.push({ name: names[found.rows[i] as number] as string, distance: toDistance(found.distances[i] as number) });
      }
      return neighbours;
    },
    distanceAmong(descriptor, among) {
      write(descriptor, query, 0);
      let nearest = Number.POSITIVE_INFINITY;
      for (const name of among) {
        const row = rowOf.get(name);
        if (row !== undefined) nearest = Math.min(nearest, squaredDistance(row, nearest));
      }
      return toDistance(nearest);
    },
  };
}
