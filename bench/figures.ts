export type BenchRow = Record<string, string | number>;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

export const round = (value: number, digits = 1) => Number(value.toFixed(digits));
export const percent = (part: number, whole: number) => round((100 * part) / whole, 2);
