/**
 * The rows nearest to a query so far, nearest first, at most `limit`. Made once and used for every search: a search allocates
 * nothing. Rows equally near stand by name, so that the order in which they were loaded never shows.
 */
export type NearestRows = {
  readonly size: number;
  readonly rows: Int32Array;
  /** Squared distances, ascending. */
  readonly distances: Float64Array;
  /** Beyond this squared distance nothing is taken any more; a row at it may still be, by its name. */
  readonly bound: number;
  clear(): void;
  offer(row: number, squared: number): void;
};

export function createNearestRows(limit: number, nameOf: (row: number) => string): NearestRows {
  const rows = new Int32Array(limit);
  const distances = new Float64Array(limit);
  let size = 0;

  function comesBefore(row: number, squared: number, at: number): boolean {
    const other = distances[at] as number;
    return squared < other || (squared === other && nameOf(row) < nameOf(rows[at] as number));
  }

  return {
    rows,
    distances,
    get size() {
      return size;
    },
    get bound() {
      return size < limit ? Number.POSITIVE_INFINITY : (distances[limit - 1] as number);
    },
    clear() {
      size = 0;
    },
    offer(row, squared) {
      if (Number.isNaN(squared)) return;
      if (size === limit && !comesBefore(row, squared, limit - 1)) return;
      let at = size < limit ? size++ : limit - 1;
      while (at > 0 && comesBefore(row, squared, at - 1)) {
        rows[at] = rows[at - 1] as number;
        distances[at] = distances[at - 1] as number;
        at--;
      }
      rows[at] = row;
      distances[at] = squared;
    },
  };
}
