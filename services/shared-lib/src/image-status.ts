/** Column `images.status`. 0, 1 and 2 are the original's. */
export const ImageStatus = { Pending: 0, Processed: 1, Failed: 2, Processing: 3 } as const;
export type ImageStatus = (typeof ImageStatus)[keyof typeof ImageStatus];

export const STATUS_WORDS = ['pending', 'processed', 'failed', 'processing'] as const;
export type StatusWord = (typeof STATUS_WORDS)[number];

/** Recognition ran: somebody known, faces but nobody known, or no face at all. */
export const PROCESSED_OUTCOMES = ['match', 'unknown', 'no_face'] as const;
/** The photo's own fault: trying again would not help. */
export const FINAL_FAILURES = ['missing_file', 'unreadable_image', 'too_large', 'outside_folder'] as const;
/** Causes that may pass: tried again with back-off. */
export const PASSING_FAILURES = ['backend_unavailable', 'timeout', 'internal'] as const;
export const OUTCOMES = [...PROCESSED_OUTCOMES, ...FINAL_FAILURES, ...PASSING_FAILURES] as const;

export type ProcessedOutcome = (typeof PROCESSED_OUTCOMES)[number];
export type FinalFailure = (typeof FINAL_FAILURES)[number];
export type PassingFailure = (typeof PASSING_FAILURES)[number];
export type Failure = FinalFailure | PassingFailure;
export type Outcome = (typeof OUTCOMES)[number];

/** Column `images.person` where nobody was recognised. */
export const NOBODY = -1;

/** The word for a status. A number that no one defined reads as failed, so that somebody looks at it. */
export function statusWord(status: number): StatusWord {
  return STATUS_WORDS[status] ?? 'failed';
}

/** The status of a word. */
export function statusOf(word: StatusWord): ImageStatus {
  return STATUS_WORDS.indexOf(word) as ImageStatus;
}

/**
 * The outcome to show for a row. The original's processor writes none: its processed rows read by their person, and its
 * failed ones as `internal`.
 */
export function outcomeOf(row: { status: number; outcome: string | null; person: number | null }): Outcome | null {
  const word = statusWord(row.status);
  if (word === 'pending' || word === 'processing') return null;
  const known = OUTCOMES.find((outcome) => outcome === row.outcome);
  if (known) return known;
  if (word === 'failed') return 'internal';
  return row.person !== null && row.person > 0 ? 'match' : 'unknown';
}
