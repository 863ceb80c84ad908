import { showRow } from '../changes.ts';
import type { Counts } from '../counts.ts';
import { type Html, html } from '../html.ts';
import type { Person } from '../photo.ts';
import type { PhotoList } from '../photo-list.ts';
import { isFiltered, type PhotoQuery, photoQueryAddress } from '../photo-query.ts';
import { count } from '../words.ts';
import { renderFilters } from './filters.ts';
import type { Page } from './layout.ts';
import { renderPhotoRow } from './photo-row.ts';
import { renderSummary } from './summary.ts';

export type PhotosView = Readonly<{
  query: PhotoQuery;
  list: PhotoList;
  counts: Counts | undefined;
  people: readonly Person[];
}>;

const HEADINGS = ['Id', 'Picture', 'Path', 'Person', 'Status', 'Faces', 'Time'];

const UPLOAD = html`<section class="upload" data-upload data-scripted hidden aria-label="Post photos">
<div class="drop" data-drop>
  <p><strong>Drop photos here</strong> <span class="faint">or anywhere on the page: JPEG, PNG or WebP, up to 20 MB</span></p>
  <label class="button"><input class="hidden-text" type="file" accept="image/jpeg,image/png,image/webp" multiple>Choose photos</label>
</div>
<ol class="uploads" data-uploads aria-label="Photos being posted"></ol>
</section>
<noscript><p class="hint">To post photos from this page, allow its script. Without it, <code>curl</code> does the same: see the README.</p></noscript>`;

/** The id up to which photos belong on later pages, in the order of the newest. */
function floorOf({ older }: PhotoList): number {
  return older && 'id' in older ? older.id : 0;
}

function renderTable({ query, list }: PhotosView): Html {
  const isEmpty = list.photos.length === 0;
  return html`<div class="table-box"${isEmpty && html` hidden`} data-table><table role="table" class="photos">
<caption class="hidden-text">Photos</caption>
<thead role="rowgroup"><tr role="row">${HEADINGS.map((heading) => html`<th role="columnheader" scope="col" class="${heading.toLowerCase()}">${heading}</th>`)}</tr></thead>
<tbody role="rowgroup" data-rows="${list.photos.map((photo) => `${photo.id}.${showRow(photo).version}`).join(',')}" data-query="${photoQueryAddress(query, '')}" data-floor="${floorOf(list)}">
${list.photos.map(renderPhotoRow)}</tbody>
</table></div>
<div data-empty${!isEmpty && html` hidden`}>${renderEmpty({ query, list })}</div>`;
}

function renderEmpty({ query, list }: Pick<PhotosView, 'query' | 'list'>): Html {
  if (list.searched) {
    return html`<p class="empty"><strong>Nothing found yet</strong> among the ${count(list.searched, 'photo')} looked through. Go on below.</p>`;
  }
  if (query.after || query.before) {
    return html`<p class="empty"><strong>There is nothing further on.</strong><br><a href="${photoQueryAddress({ ...query, after: undefined, before: undefined })}">Back to the first page</a></p>`;
  }
  if (isFiltered(query)) {
    return html`<p class="empty"><strong>No photo is like that.</strong><br>Choose less above, or <a href="/">show all photos</a>.</p>`;
  }
  return html`<p class="empty"><strong>No photos yet.</strong><br>Drop the first one onto this page, and its row appears here. For names instead of “unknown”, <a href="/people">enrol people</a> first.</p>`;
}

function renderPager({ query, list }: PhotosView): Html | undefined {
  const { newer, older, searched } = list;
  if (!newer && !older) return undefined;
  const [back, on] = query.sort === 'path' ? ['Back', 'On'] : query.sort === 'oldest' ? ['Older', 'Newer'] : ['Newer', 'Older'];
  return html`<nav class="pager" aria-label="Pages">
${searched && list.photos.length > 0 && html`<p>${count(searched, 'photo')} have been looked through.</p>`}
${
  newer &&
  html`<a class="button quiet" rel="prev" href="${photoQueryAddress({ ...query, after: undefined, before: newer })}">← ${back}</a>
<a class="button quiet" href="${photoQueryAddress({ ...query, after: undefined, before: undefined })}">First page</a>`
}
${older && html`<a class="button quiet" rel="next" href="${photoQueryAddress({ ...query, before: undefined, after: older })}">${searched ? 'Look further' : on} →</a>`}
</nav>`;
}

/** The table of photos, with what there is of each kind on top. */
export function photosPage(view: PhotosView): Page {
  return {
    title: 'Photos',
    section: 'photos',
    style: 'photos.css',
    main: html`<h1 class="hidden-text">Photos</h1>
${renderSummary(view.counts)}
${UPLOAD}
${renderFilters(view.query, view.people)}
${renderTable(view)}
${renderPager(view)}
<p class="hidden-text" role="status" data-announce></p>`,
  };
}
