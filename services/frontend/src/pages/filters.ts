import { OUTCOMES, type StatusWord } from '@kube-face/shared-lib/image-status';
import { type Html, html } from '../html.ts';
import type { Person } from '../photo.ts';
import { isFiltered, type PhotoQuery, photoQueryAddress, type Sort } from '../photo-query.ts';
import { OUTCOME_NAMES } from '../words.ts';

const STATUSES: readonly StatusWord[] = ['pending', 'processing', 'processed', 'failed'];
const SORT_NAMES: Readonly<Record<Sort, string>> = {
  newest: 'Newest first',
  oldest: 'Oldest first',
  finished: 'Last finished first',
  path: 'By path',
};

function option(value: string, text: string, selected: string | undefined): Html {
  return html`<option value="${value}"${value === selected && html` selected`}>${text}</option>`;
}

function select(name: string, label: string, first: Html | undefined, options: readonly Html[]): Html {
  return html`<label class="field"><span>${label}</span><select name="${name}">${first}${options}</select></label>`;
}

/** The form that narrows and orders the table. It is sent as an address, by its button or by the script as soon as a choice is made. */
export function renderFilters(query: PhotoQuery, people: readonly Person[]): Html {
  const person = query.person === undefined ? undefined : String(query.person);
  const isListed = people.some(({ id }) => id === query.person);
  return html`<form class="filters" action="/" method="get" role="search" aria-label="Photos" data-filters>
${select(
  'status',
  'Status',
  option('', 'Any', undefined),
  STATUSES.map((word) => option(word, word, query.status)),
)}
${select(
  'outcome',
  'Outcome',
  option('', 'Any', undefined),
  OUTCOMES.map((outcome) => option(outcome, OUTCOME_NAMES[outcome], query.outcome)),
)}
${select('person', 'Person', option('', 'Anybody', undefined), [
  ...(person && !isListed ? [option(person, `Person ${person}`, person)] : []),
  ...people.map(({ id, name }) => option(String(id), name, person)),
])}
${select(
  'sort',
  'Order',
  undefined,
  (Object.keys(SORT_NAMES) as Sort[]).map((sort) => option(sort, SORT_NAMES[sort], query.sort)),
)}
<label class="field grows"><span>Path contains</span><input type="search" name="q" value="${query.search}" maxlength="255" autocomplete="off" spellcheck="false"></label>
<div class="actions"><button class="button quiet">Show</button>${isFiltered(query) && html`<a href="${photoQueryAddress({ sort: query.sort })}">Clear</a>`}</div>
</form>`;
}
