import type { Outcome, StatusWord } from '@kube-face/shared-lib/image-status';
import type { Counts } from '../counts.ts';
import { type Html, html } from '../html.ts';
import { photoQueryAddress } from '../photo-query.ts';
import { formatNumber, OUTCOME_NAMES, type Tone } from '../words.ts';
import { renderChart } from './chart.ts';

const TONES: Readonly<Record<StatusWord, Tone>> = { pending: 'wait', processing: 'work', processed: 'good', failed: 'bad' };
const SHOWN_STATUSES: readonly StatusWord[] = ['pending', 'processing', 'processed', 'failed'];
const SHOWN_OUTCOMES: readonly Outcome[] = ['match', 'unknown', 'no_face'];

function renderStatus(word: StatusWord, counts: Counts | undefined): Html {
  const number = counts ? formatNumber(counts.byStatus[word]) : '–';
  return html`<li class="${TONES[word]}"><a href="${photoQueryAddress({ status: word, sort: 'newest' })}"><b>${number}</b> <span>${word}</span></a></li>`;
}

function renderOutcome(outcome: Outcome, counts: Counts): Html {
  return html`<li><a href="${photoQueryAddress({ outcome, sort: 'newest' })}"><b>${formatNumber(counts.byOutcome[outcome] ?? 0)}</b> ${OUTCOME_NAMES[outcome].toLowerCase()}</a></li>`;
}

/** How much there is of what, and how fast it goes: on top of the table, and sent anew when it changes. */
export function renderSummary(counts: Counts | undefined): Html {
  const finished = counts?.lastHour.reduce((sum, { processed, failed }) => sum + processed + failed, 0) ?? 0;
  return html`<section class="summary" data-summary aria-label="Counts">
<div class="totals"><ul class="statuses">${SHOWN_STATUSES.map((word) => renderStatus(word, counts))}</ul>
${counts && html`<ul class="outcomes">${SHOWN_OUTCOMES.map((outcome) => renderOutcome(outcome, counts))}</ul>`}</div>
<figure class="pace"><figcaption><b>${counts ? formatNumber(counts.lastMinute) : '–'}</b> photos a minute now <span class="faint">· ${formatNumber(finished)} in the last hour</span></figcaption>
${counts && renderChart(counts.lastHour)}
<p class="axis" aria-hidden="true"><span>1 h ago</span><span>now</span></p></figure>
</section>`;
}
