import { MARGIN } from '@kube-face/shared-lib/name-face';
import { type Html, html } from '../html.ts';
import type { Candidate, Face } from '../photo-detail.ts';

/** How a distance reads: two decimals tell people apart, three where the limit is near. */
export function formatDistance(distance: number, threshold: number): string {
  return distance.toFixed(Math.abs(distance - threshold) < 0.01 ? 3 : 2);
}

function nameOf(candidate: Candidate): Html {
  return html`<b><bdi>${candidate.person?.name ?? candidate.imageName}</bdi></b>`;
}

/** Why a face got its name, or none, in a sentence. `threshold` is the distance up to which two faces count as one person. */
export function explainFace(face: Face, threshold: number): Html {
  const limit = String(threshold);
  const [first, second] = face.candidates;
  if (face.isCorrected) {
    return face.person
      ? html`Somebody set this name by hand; recognition leaves it alone.`
      : html`Somebody took the name away by hand; recognition leaves it alone.`;
  }
  if (!first) {
    return face.person
      ? html`The nearest known photo is not recorded.`
      : html`No known photo came near. Enrol this person, and later photos get the name.`;
  }
  const distance = formatDistance(first.distance, threshold);
  if (face.person) {
    return first.distance <= threshold
      ? html`The nearest known photo, of ${nameOf(first)}, is ${distance} away. That is within the limit of ${limit}, so it is the same person.`
      : html`The nearest known photo, of ${nameOf(first)}, is ${distance} away. The limit was wider when this was decided; now it is ${limit}.`;
  }
  if (first.distance > threshold) {
    return html`Even the nearest known photo, of ${nameOf(first)}, is ${distance} away. That is beyond the limit of ${limit}, so it is nobody known.`;
  }
  if (second && second.distance <= threshold && second.distance - first.distance < MARGIN) {
    return html`${nameOf(first)} and ${nameOf(second)} are equally near (${formatDistance(first.distance, threshold)} and ${formatDistance(second.distance, threshold)}): a name would be a guess.`;
  }
  return html`The nearest known photo, of ${nameOf(first)}, is ${distance} away. The limit was tighter when this was decided; now it is ${limit}.`;
}

/** A distance on a line from 0 to 1, with the limit on it. */
export function renderScale(distance: number, threshold: number): Html {
  const percent = (value: number) => `${(Math.min(Math.max(value, 0), 1) * 100).toFixed(1)}%`;
  const isNear = distance <= threshold;
  return html`<svg class="scale ${isNear ? 'near' : 'far'}" width="100%" height="18" role="img" aria-label="${isNear ? 'within' : 'beyond'} the limit">
<line class="track" x1="0" y1="9" x2="100%" y2="9" /><line class="inside" x1="0" y1="9" x2="${percent(threshold)}" y2="9" />
<line class="limit" x1="${percent(threshold)}" y1="2" x2="${percent(threshold)}" y2="16" /><circle cx="${percent(distance)}" cy="9" r="5" /></svg>`;
}
