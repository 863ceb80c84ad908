import { type Html, html } from '../html.ts';

/** A moment: in UTC as it stands, in the viewer's own zone once the script has run. */
export function time(moment: Date | null | undefined): Html | undefined {
  if (!moment) return undefined;
  const iso = moment.toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC</time>`;
}
