import { showRow } from '../changes.ts';
import { type Html, html } from '../html.ts';
import type { Person, Photo } from '../photo.ts';
import type { Attempt, Candidate, Face, PhotoDetail } from '../photo-detail.ts';
import type { Size } from '../pictures.ts';
import { count, formatDuration, outcomeAdvice, outcomeSentence } from '../words.ts';
import { explainFace, formatDistance, renderScale } from './explain.ts';
import type { Page } from './layout.ts';
import { reasonOf, statusBadge } from './photo-row.ts';
import { time } from './time.ts';

export type PhotoView = PhotoDetail &
  Readonly<{
    /** Of the upright picture; undefined where there is none that can be shown. */
    size: Size | undefined;
    threshold: number;
    people: readonly Person[];
  }>;

const MAX_SHOWN: Size = { width: 1_200, height: 760 };
const MIN_SHOWN_WIDTH = 480;

function nameOf(face: Face): string {
  return face.person?.name ?? 'Unknown';
}

/** A box on the picture. In percent, so that lines and letters keep their size however large the picture is shown. */
function renderBox(face: Face, index: number, { width, height }: Size): Html {
  const percent = (part: number, whole: number) => `${((part / whole) * 100).toFixed(2)}%`;
  const { box } = face;
  const isHigh = box.y / height < 0.08;
  return html`<a href="#face-${face.id}" class="${face.person ? 'known' : 'stranger'}" aria-label="Face ${index + 1}: ${nameOf(face)}">
<rect x="${percent(box.x, width)}" y="${percent(box.y, height)}" width="${percent(box.width, width)}" height="${percent(box.height, height)}" rx="6" />
<text x="${percent(box.x, width)}" y="${percent(isHigh ? box.y + box.height : box.y, height)}" dy="${isHigh ? 18 : -8}">${index + 1} ${nameOf(face)}</text></a>`;
}

/** The size to show a picture in: whole on a screen, a small one somewhat larger than it is. The stylesheet only makes it narrower. */
function shownSize({ width, height }: Size): Size {
  const scale = Math.min(MAX_SHOWN.width / width, MAX_SHOWN.height / height, Math.max(1, MIN_SHOWN_WIDTH / width));
  return { width: Math.round(width * scale), height: Math.round(height * scale) };
}

function renderPicture({ photo, faces, size }: PhotoView): Html {
  if (!size) {
    return html`<div class="no-picture"><p><strong>There is no picture to show.</strong><br>${
      photo.outcome && photo.status === 'failed'
        ? outcomeSentence(photo.outcome)
        : 'The file is not in the photo folder, or cannot be read'
    }.</p></div>`;
  }
  const { width, height } = shownSize(size);
  return html`<figure class="big-picture">
<img src="/pictures/${photo.id}/large" alt="Photo ${photo.id}" width="${width}" height="${height}">
<svg class="boxes" width="100%" height="100%">${faces.map((face, index) => renderBox(face, index, size))}</svg>
</figure>`;
}

function renderFacts({ photo, size }: PhotoView): Html {
  const took =
    photo.startedAt && photo.finishedAt && photo.finishedAt >= photo.startedAt
      ? formatDuration(photo.finishedAt.getTime() - photo.startedAt.getTime())
      : undefined;
  const facts: [string, Html | string | number | undefined | null][] = [
    ['Id', photo.id],
    ['Person', photo.person ? html`<a href="/?person=${photo.person.id}"><bdi>${photo.person.name}</bdi></a>` : undefined],
    ['Faces', photo.faceCount],
    ['Posted', time(photo.createdAt)],
    ['Finished', photo.status === 'processed' || photo.status === 'failed' ? time(photo.finishedAt) : undefined],
    ['Took', took],
    ['Attempts', photo.attempts || undefined],
    ['Size', size && `${size.width} × ${size.height}`],
    ['Model', photo.model],
  ];
  return html`<dl class="facts">${facts.map(([name, value]) => value !== undefined && value !== null && html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function renderCandidate(candidate: Candidate, threshold: number): Html {
  const { person, knownId, imageName, distance } = candidate;
  return html`<li>${
    knownId === null
      ? html`<span class="no-face" role="img" aria-label="The photo is gone"></span>`
      : html`<img src="/known/${knownId}/thumb" alt="Known photo ${imageName}" width="96" height="96" loading="lazy">`
  }
<span class="name"><bdi>${person?.name ?? 'Nobody any more'}</bdi></span>
<span class="sub">distance ${formatDistance(distance, threshold)}</span>
${renderScale(distance, threshold)}</li>`;
}

function renderCorrection(photo: Photo, face: Face, people: readonly Person[]): Html {
  const isListed = face.person === null || people.some(({ id }) => id === face.person?.id);
  const choices = isListed || !face.person ? people : [face.person, ...people];
  return html`<form class="correct" data-correct="/images/${photo.id}/faces/${face.id}/person" data-scripted hidden>
<label class="field"><span>Correct the name</span><select name="person"><option value="">Nobody known</option>${choices.map(
    ({ id, name }) => html`<option value="${id}"${id === face.person?.id && html` selected`}>${name}</option>`,
  )}</select></label><button class="button quiet">Save</button></form>`;
}

function renderFace(view: PhotoView, face: Face, index: number): Html {
  const { photo, threshold, people, size } = view;
  return html`<li class="face" id="face-${face.id}" data-face="${face.id}">
<div class="who">${
    size
      ? html`<img src="/pictures/${photo.id}/faces/${face.id}" alt="Face ${index + 1}" width="120" height="120" loading="lazy">`
      : html`<span class="no-face" role="img" aria-label="No picture"></span>`
  }
<div><h3><span class="number">${index + 1}</span> ${face.person ? html`<a href="/?person=${face.person.id}"><bdi>${face.person.name}</bdi></a>` : html`Unknown`}${face.isCorrected && html` <span class="badge calm">set by hand</span>`}</h3>
<p class="why">${explainFace(face, threshold)}</p></div></div>
${face.candidates.length > 0 && html`<div class="near"><h4>Nearest known people</h4><ol>${face.candidates.map((candidate) => renderCandidate(candidate, threshold))}</ol></div>`}
${renderCorrection(photo, face, people)}
</li>`;
}

function renderFaces(view: PhotoView): Html | undefined {
  const { faces, photo, threshold } = view;
  if (faces.length === 0) return undefined;
  return html`<section aria-labelledby="faces-heading"><h2 id="faces-heading">${count(faces.length, 'face')}</h2>
<p class="lead">A face is compared with every known photo. The smaller the distance, the more alike they are; up to ${threshold} it counts as the same person.</p>
<ol class="faces-list">${faces.map((face, index) => renderFace(view, face, index))}</ol>${photo.outcome === 'unknown' && html`<p class="hint">Somebody you know? <a href="/people">Enrol them</a>, and photos of them get their name.</p>`}</section>`;
}

function renderAttempt(attempt: Attempt): Html {
  const tone = ['match', 'unknown', 'no_face'].includes(attempt.outcome) ? 'good' : 'bad';
  return html`<li><span class="dot ${tone}"></span><div><p>${outcomeSentence(attempt.outcome)}</p>
${attempt.detail && html`<p class="sub">${attempt.detail}</p>`}
<p class="sub">${time(attempt.startedAt)} · took ${formatDuration(attempt.finishedAt.getTime() - attempt.startedAt.getTime())} · by ${attempt.owner}</p></div></li>`;
}

function renderHistory({ photo, attempts }: PhotoView): Html {
  const now = html`<li><span class="dot ${photo.status === 'processed' ? 'good' : photo.status === 'failed' ? 'bad' : 'wait'}"></span><div><p>${reasonOf(photo)}</p>
${photo.detail && html`<p class="sub">${photo.detail}</p>`}
<p class="sub">${photo.status === 'processed' || photo.status === 'failed' ? time(photo.finishedAt ?? photo.createdAt) : 'now'}</p></div></li>`;
  const posted =
    photo.createdAt &&
    html`<li><span class="dot"></span><div><p>Posted</p><p class="sub">${time(photo.createdAt)}</p></div></li>`;
  const earlier = attempts.filter(
    ({ outcome, finishedAt }) => outcome !== photo.outcome || !isSame(finishedAt, photo.finishedAt),
  );
  return html`<section aria-labelledby="history-heading"><h2 id="history-heading">What happened</h2><ol class="history">${now}${earlier.map(renderAttempt)}${posted}</ol></section>`;
}

// The last attempt is recorded in the same transaction as the photo's own outcome.
function isSame(left: Date, right: Date | null): boolean {
  return right !== null && Math.abs(left.getTime() - right.getTime()) < 50;
}

function renderActions(photo: Photo): Html {
  return html`<div class="buttons" data-scripted hidden>
<button class="button${photo.status !== 'failed' && html` quiet`}" data-retry="${photo.id}"${photo.status === 'processing' && html` disabled`}>${photo.status === 'failed' ? 'Retry' : 'Recognise again'}</button>
<button class="button danger quiet" data-erase-photo="${photo.id}">Erase</button>
</div><p class="outcome-line" role="status" data-said></p>`;
}

/** One photo: who is on it, and why recognition thinks so. */
export function photoPage(view: PhotoView): Page {
  const { photo } = view;
  const advice = photo.status === 'failed' && photo.outcome ? outcomeAdvice(photo.outcome) : undefined;
  return {
    title: `Photo ${photo.id}`,
    section: 'photos',
    style: 'photo.css',
    main: html`<nav class="crumbs" aria-label="Breadcrumbs"><a href="/">Photos</a> <span aria-hidden="true">/</span> ${photo.id}</nav>
<div class="photo-head"><h1><bdi>${photo.path}</bdi></h1>
<p>${statusBadge(photo)} ${photo.person ? html`Recognised as ${photo.person.name}` : reasonOf(photo)}.${advice && html` ${advice}`}</p></div>
<div class="photo-body" data-photo="${photo.id}.${showRow(photo).version}">
${renderPicture(view)}
<aside aria-label="Facts">${renderFacts(view)}${renderActions(photo)}${renderHistory(view)}</aside>
</div>
${renderFaces(view)}`,
  };
}
