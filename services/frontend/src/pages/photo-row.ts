import type { Outcome } from '@kube-face/shared-lib/image-status';
import { type Html, html } from '../html.ts';
import type { Photo } from '../photo.ts';
import { count, formatDuration, outcomeSentence, toneOf } from '../words.ts';
import { time } from './time.ts';

/** Why the photo has its status, in a sentence. */
export function reasonOf(photo: Photo): Html {
  switch (photo.status) {
    case 'pending':
      if (photo.retryAt) return html`Will be tried again ${time(photo.retryAt)}`;
      if (photo.attempts > 0) return html`Waiting to be tried again`;
      return photo.queuedAt ? html`Waiting for its turn` : html`Waiting to be queued`;
    case 'processing':
      return html`Being looked at${photo.attempts > 1 && html`, attempt ${photo.attempts}`}`;
    case 'processed':
      return html`${outcomeSentence(photo.outcome ?? 'unknown')}`;
    case 'failed':
      return html`${outcomeSentence(photo.outcome ?? 'internal')}${photo.retryAt && html`. Next try ${time(photo.retryAt)}`}`;
  }
}

export function statusBadge(photo: Photo): Html {
  return html`<span class="badge ${toneOf(photo.status, photo.outcome)}">${photo.status}</span>`;
}

/** What the person's cell says: a name, or in words why there is none. */
export function personOf(photo: Photo): Html {
  if (photo.person) return html`<a href="/?person=${photo.person.id}"><bdi>${photo.person.name}</bdi></a>`;
  if (photo.status !== 'processed') return html`<span class="faint dash">–</span>`;
  return html`<span class="faint">${photo.outcome === 'no_face' ? 'nobody' : 'unknown'}</span>`;
}

export function distanceOf(photo: Photo): Html | undefined {
  if (photo.person === null || photo.distance === null) return undefined;
  return html`<span class="sub" title="Distance to the nearest known photo: smaller is more alike">distance ${photo.distance.toFixed(2)}</span>`;
}

function tookOf({ status, startedAt, finishedAt, createdAt }: Photo): Html | undefined {
  if (!finishedAt || (status !== 'processed' && status !== 'failed')) return undefined;
  const from = startedAt ?? createdAt;
  if (!from || finishedAt < from) return undefined;
  return html`<span class="sub">took ${formatDuration(finishedAt.getTime() - from.getTime())}</span>`;
}

function facesOf({ faceCount }: Photo): Html {
  if (faceCount === null) return html`<span class="faint dash">–</span>`;
  return html`${faceCount}<span class="unit"> ${faceCount === 1 ? 'face' : 'faces'}</span>`;
}

function pictureAlt(photo: Photo): string {
  if (photo.person) return `Photo ${photo.id} of ${photo.person.name}`;
  return photo.faceCount ? `Photo ${photo.id} with ${count(photo.faceCount, 'face')}` : `Photo ${photo.id}`;
}

// Asking for a picture that is known not to be there would only fill the browser's console with errors.
const PICTURELESS: ReadonlySet<Outcome | null> = new Set(['missing_file', 'unreadable_image', 'too_large', 'outside_folder']);

function renderThumb(photo: Photo): Html {
  if (PICTURELESS.has(photo.outcome)) return html`<span class="no-face" role="img" aria-label="No picture"></span>`;
  return html`<img src="/pictures/${photo.id}/thumb" alt="${pictureAlt(photo)}" width="56" height="56" loading="lazy" decoding="async">`;
}

/** One row of the table. It carries no relative time, so that it changes only when the photo does. */
export function renderPhotoRow(photo: Photo): Html {
  const address = `/photos/${photo.id}`;
  return html`<tr role="row" id="photo-${photo.id}" data-id="${photo.id}" data-status="${photo.status}" data-outcome="${photo.outcome}">
<td role="cell" class="id"><a href="${address}">${photo.id}</a></td>
<td role="cell" class="picture"><a href="${address}" tabindex="-1">${renderThumb(photo)}</a></td>
<td role="cell" class="path"><a href="${address}"><bdi>${photo.path}</bdi></a></td>
<td role="cell" class="person">${personOf(photo)}${distanceOf(photo)}</td>
<td role="cell" class="status">${statusBadge(photo)}<span class="sub">${reasonOf(photo)}</span></td>
<td role="cell" class="faces">${facesOf(photo)}</td>
<td role="cell" class="time">${time(photo.finishedAt ?? photo.createdAt)}${tookOf(photo)}</td>
</tr>`;
}
