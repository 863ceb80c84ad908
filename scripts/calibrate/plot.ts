const BLOCKS = ' ▁▂▃▄▅▆▇█';
const WIDTH = 60;

export type Series = { name: string; values: readonly number[] };

/** How often each distance occurs, one line a series, on one scale; a mark under the threshold. Each series reaches the full height. */
export function plot(series: readonly Series[], threshold: number): string[] {
  const all = series.flatMap(({ values }) => [...values, threshold]);
  const from = Math.min(...all);
  const to = Math.max(...all);
  const column = (value: number) => Math.min(WIDTH - 1, Math.floor(((value - from) / (to - from || 1)) * WIDTH));
  const label = Math.max(...series.map(({ name }) => name.length));

  const lines = series.map(({ name, values }) => {
    const counts = new Array<number>(WIDTH).fill(0);
    for (const value of values) counts[column(value)] = (counts[column(value)] ?? 0) + 1;
    const highest = Math.max(1, ...counts);
    const bars = counts.map((count) => BLOCKS[Math.ceil((count / highest) * (BLOCKS.length - 1))]);
    return `${name.padEnd(label)}  ${bars.join('')}`;
  });
  const mark = `${''.padEnd(label)}  ${' '.repeat(column(threshold))}▲ ${threshold.toFixed(3)}`;
  const scale = `${''.padEnd(label)}  ${from.toFixed(2)}${to.toFixed(2).padStart(WIDTH - from.toFixed(2).length)}`;
  return [...lines, mark, scale];
}
