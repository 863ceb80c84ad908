import { type Html, html } from '../html.ts';
import { MAX_COUNTED, type PeopleList, type PersonCard } from '../people-store.ts';
import { count, formatNumber } from '../words.ts';
import type { Page } from './layout.ts';

export type PeopleView = Readonly<{ list: PeopleList; search?: string; isFirst: boolean }>;

function counted(number: number, one: string): string {
  return number > MAX_COUNTED ? `${formatNumber(MAX_COUNTED)}+ ${one}s` : count(number, one);
}

/** A person's card; its script needs the name and what would go with it. */
export function renderPersonCard({ person, knownIds, knownCount, appearances }: PersonCard): Html {
  const hidden = knownCount - knownIds.length;
  return html`<li class="card" id="person-${person.id}" data-person="${person.id}" data-name="${person.name}" data-known="${counted(knownCount, 'known photo')}" data-appearances="${counted(appearances, 'photo')}">
<div class="faces-strip">${knownIds.map((id) => html`<img src="/known/${id}/thumb" alt="Known photo of ${person.name}" width="72" height="72" loading="lazy">`)}${
    knownIds.length === 0
      ? html`<span class="no-face" role="img" aria-label="No photos"></span>`
      : hidden > 0 && html`<span class="more">+${formatNumber(hidden)}</span>`
  }</div>
<h2><bdi>${person.name}</bdi></h2>
<p class="sub">${counted(knownCount, 'known photo')} · ${
    appearances > 0 ? html`<a href="/?person=${person.id}">on ${counted(appearances, 'photo')}</a>` : 'not seen yet'
  }</p>
<div class="buttons" data-scripted hidden>
<button class="button quiet small" data-add-to>Add photos</button>
<button class="button quiet small" data-rename>Rename</button>
<button class="button quiet small danger" data-erase-person>Erase</button>
</div></li>`;
}

const ENROL = html`<form class="enrol" data-enrol data-scripted hidden aria-labelledby="enrol-heading">
<h2 id="enrol-heading">Enrol a person</h2>
<p class="sub">One to three photos, each with one clear face, are enough. Every photo gets its verdict at once.</p>
<div class="enrol-row">
<label class="field"><span>Name</span><input name="name" maxlength="255" required autocomplete="off" placeholder="Jane Doe"></label>
<div class="drop" data-drop><p><strong>Drop photos here</strong></p>
<label class="button"><input class="hidden-text" type="file" accept="image/jpeg,image/png,image/webp" multiple>Choose photos</label></div>
</div>
<p class="outcome-line" role="status" data-said></p>
<ol class="uploads" data-uploads aria-label="Photos being enrolled"></ol>
</form>
<noscript><p class="hint">To enrol people from this page, allow its script.</p></noscript>`;

function renderEmpty({ search, isFirst }: PeopleView): Html {
  if (search)
    return html`<p class="empty" data-empty><strong>No name contains “${search}”.</strong><br><a href="/people">Show everybody</a></p>`;
  if (!isFirst)
    return html`<p class="empty" data-empty><strong>There is nobody further on.</strong><br><a href="/people">Back to the first page</a></p>`;
  return html`<p class="empty" data-empty><strong>Nobody is known yet.</strong><br>Enrol the first person above: a name, and a photo with one clear face.</p>`;
}

/** Everybody who is known, and the form that makes somebody known. */
export function peoplePage(view: PeopleView): Page {
  const { list, search, isFirst } = view;
  const next = new URLSearchParams();
  if (search) next.set('q', search);
  if (list.next) {
    next.set('after', list.next.name);
    next.set('id', String(list.next.id));
  }
  return {
    title: 'People',
    section: 'people',
    style: 'people.css',
    main: html`<div class="page-head"><h1>People</h1>
<form class="finder" action="/people" method="get" role="search" aria-label="People"><label class="field"><span class="hidden-text">Name contains</span><input type="search" name="q" value="${search}" placeholder="Find a name" maxlength="255" autocomplete="off"></label><button class="button quiet">Find</button></form></div>
${ENROL}
<ul class="cards" data-cards>${list.people.map(renderPersonCard)}</ul>
${list.people.length === 0 && renderEmpty(view)}
${(list.next || !isFirst) && html`<nav class="pager" aria-label="Pages">${!isFirst && html`<a class="button quiet" href="/people">First page</a>`}${list.next && html`<a class="button quiet" rel="next" href="/people?${String(next)}">On →</a>`}</nav>`}`,
  };
}
