/**
 * gRPC metadata with which face recognition tells its client more than a status can. The original's client reads none of it.
 */

/**
 * In the trailers of a failed `Identify`: the outcome to write for the photo, word for word one of `Failure` of
 * image-status. Absent where the call was refused before anything was decided (RESOURCE_EXHAUSTED).
 */
export const OUTCOME_METADATA = 'outcome';

/**
 * `1` once the photo was taken up, so that the call counts as an attempt: in the response's headers, sent at that moment
 * (a client whose deadline passes, or whose server dies, has seen it), and again in the trailers of a failure.
 */
export const BEGAN_METADATA = 'began';
