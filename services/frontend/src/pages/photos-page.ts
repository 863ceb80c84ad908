import { type Html, html } from '../html.ts';
import type { PhotoList } from '../photo-list.ts';
import { isFiltered, type PhotoQuery, photoQueryAddress } from '../photo-query.ts';
import { count } from '../words.ts';
import type { Page } from './layout.ts';
import { renderPhotoRow } from './photo-row.ts';

export type PhotosView = Readonly<{ query: PhotoQuery; list: PhotoList }>;

const HEADINGS = ['Id', 'Picture', 'Path', 'Person', 'Status', 'Faces', 'Time'];

function renderTable(list: PhotoList): Html {
  return html`<div class="table-box"><table role="table" class="photos">
<caption class="hidden-text">Photos</caption>
<thead role="rowgroup"><tr role="row">${HEADINGS.map((heading) => html`<th role="columnheader" scope="col" class="${heading.toLowerCase()}">${heading}</th>`)}</tr></thead>
<tbody role="rowgroup" data-rows>${list.photos.map(renderPhotoRow)}</tbody>
</table></div>`;
}

function renderEmpty({ query, list }: PhotosView): Html {
  if (list.searched) {
    return html`<p class="empty"><strong>Nothing found yet</strong> among the ${count(list.searched, 'photo')} looked through. Go on with “Older” below.</p>`;
  }
  if (query.after || query.before) {
    return html`<p class="empty"><strong>There is nothing further on.</strong> <a href="${photoQueryAddress({ ...query, after: undefined, before: undefined })}">Back to the first page</a></p>`;
  }
  if (isFiltered(query)) {
    return html`<p class="empty"><strong>No photo matches.</strong> <a href="/">Show all photos</a></p>`;
  }
  return html`<p class="empty"><strong>No photos yet.</strong> Post the first one and it appears here.</p>`;
}

function renderPager({ query, list }: PhotosView): Html | undefined {
  const { newer, older } = list;
  if (!newer && !older) return undefined;
  const [back, on] = query.sort === 'path' ? ['Back', 'On'] : query.sort === 'oldest' ? ['Older', 'Newer'] : ['Newer', 'Older'];
  return html`<nav class="pager" aria-label="Pages">
${newer && html`<a rel="prev" href="${photoQueryAddress({ ...query, after: undefined, before: newer })}">← ${back}</a>`}
${newer && html`<a href="${photoQueryAddress({ ...query, after: undefined, before: undefined })}">First page</a>`}
${older && html`<a rel="next" data-older href="${photoQueryAddress({ ...query, before: undefined, after: older })}">${on} →</a>`}
</nav>`;
}

/** The table of photos. */
export function photosPage(view: PhotosView): Page {
  return {
    title: 'Photos',
    section: 'photos',
    main: html`<h1>Photos</h1>
${renderTable(view.list)}
${view.list.photos.length === 0 && renderEmpty(view)}
${renderPager(view)}`,
  };
}
