import type { Minute } from '../counts.ts';
import { type Html, html } from '../html.ts';
import { count, formatNumber } from '../words.ts';

const HEIGHT = 56;
const BAR = 8;
const GAP = 2;

/** Photos finished in each minute of the last hour, as bars; failed ones on top in another colour. */
export function renderChart(lastHour: readonly Minute[]): Html {
  const peak = Math.max(1, ...lastHour.map(({ processed, failed }) => processed + failed));
  const scale = (n: number) => (n === 0 ? 0 : Math.max(2, (n / peak) * HEIGHT));
  const all = lastHour.reduce((sum, { processed, failed }) => sum + processed + failed, 0);
  const failures = lastHour.reduce((sum, { failed }) => sum + failed, 0);
  const width = lastHour.length * (BAR + GAP) - GAP;
  const label = `${count(all, 'photo')} finished in the last hour, ${formatNumber(failures)} of them failed; at most ${formatNumber(peak)} in a minute`;

  const bars = lastHour.map(({ processed, failed }, index) => {
    if (processed + failed === 0) return undefined;
    const ago = lastHour.length - 1 - index;
    const [good, bad] = [scale(processed), scale(failed)];
    const x = index * (BAR + GAP);
    return html`<g><title>${ago === 0 ? 'this minute' : `${ago} min ago`}: ${count(processed + failed, 'photo')}${failed > 0 && `, ${formatNumber(failed)} failed`}</title>
${processed > 0 && html`<rect class="done" x="${x}" y="${(HEIGHT - good).toFixed(1)}" width="${BAR}" height="${good.toFixed(1)}" />`}
${failed > 0 && html`<rect class="failed" x="${x}" y="${Math.max(0, HEIGHT - good - bad).toFixed(1)}" width="${BAR}" height="${bad.toFixed(1)}" />`}</g>`;
  });
  return html`<svg class="chart" viewBox="0 0 ${width} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${label}">
<line class="floor" x1="0" y1="${HEIGHT}" x2="${width}" y2="${HEIGHT}" />${bars}</svg>`;
}
