export type BenchRow = Record<string, string | number>;

/** The value that so large a share (0 to 1) of them is under. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const median = (values: readonly number[]) => quantile(values, 0.5);
export const round = (value: number, digits = 1) => Number(value.toFixed(digits));
export const percent = (part: number, whole: number) => round((100 * part) / whole, 2);
