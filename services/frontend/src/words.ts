import type { Outcome, StatusWord } from '@kube-face/shared-lib/image-status';

export type Tone = 'wait' | 'work' | 'good' | 'calm' | 'bad';

/** What colour a status wears: recognition's three outcomes are all successes, but only one found somebody. */
export function toneOf(status: StatusWord, outcome: Outcome | null): Tone {
  switch (status) {
    case 'pending':
      return 'wait';
    case 'processing':
      return 'work';
    case 'failed':
      return 'bad';
    case 'processed':
      return outcome === 'match' ? 'good' : 'calm';
  }
}

/** One word or two for each outcome, as filters and captions show it. */
export const OUTCOME_NAMES: Readonly<Record<Outcome, string>> = {
  match: 'Recognised',
  unknown: 'Nobody known',
  no_face: 'No face',
  missing_file: 'File missing',
  unreadable_image: 'Not readable',
  too_large: 'Too large',
  outside_folder: 'Outside the folder',
  backend_unavailable: 'Recognition away',
  timeout: 'Took too long',
  internal: 'Internal error',
};

const OUTCOME_SENTENCES: Readonly<Record<Outcome, string>> = {
  match: 'Recognised',
  unknown: 'Faces, but nobody known',
  no_face: 'No face was found',
  missing_file: 'The file is not in the photo folder',
  unreadable_image: 'The file is not a JPEG, PNG or WebP photo that can be read',
  too_large: 'The photo is larger than 20 MB or 50 megapixels',
  outside_folder: 'The path leads out of the photo folder',
  backend_unavailable: 'Face recognition could not be reached',
  timeout: 'Face recognition took too long',
  internal: 'Something went wrong inside face recognition',
};

/** What can be done about a failure that does not pass by itself. */
const OUTCOME_ADVICE: Readonly<Partial<Record<Outcome, string>>> = {
  missing_file: 'Put the file into the photo folder under this path, then retry.',
  unreadable_image: 'Replace the file by a JPEG, PNG or WebP photo, then retry.',
  too_large: 'Post a smaller version of the photo.',
  outside_folder: 'Post the photo under a path inside the photo folder.',
  backend_unavailable: 'Retry once face recognition runs again.',
  timeout: 'Retry when there is less to do, or post a smaller version.',
  internal: 'Retry; where it fails again, the log of face recognition says more.',
};

/** The sentence for an outcome; one that no version of ours wrote is shown as it is. */
export function outcomeSentence(outcome: string): string {
  return OUTCOME_SENTENCES[outcome as Outcome] ?? outcome;
}

export function outcomeAdvice(outcome: Outcome): string | undefined {
  return OUTCOME_ADVICE[outcome];
}

/** `1 face`, `2 faces`, `12,000 faces`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${formatNumber(number)} ${number === 1 ? one : many}`;
}

export function formatNumber(number: number): string {
  return number.toLocaleString('en-US');
}

/** `80 ms`, `2.4 s`, `3 min`, `5 h`, `2 days`: short, for the eye. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = ms / 1_000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 99.5) return `${Math.round(seconds)} s`;
  if (seconds < 5_970) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
