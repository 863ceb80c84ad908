import type { BoxMessage } from '@kube-face/shared-lib/face-messages';
import { NOBODY } from '@kube-face/shared-lib/image-status';
import type { FaceResult, Reading } from './read-answer.ts';

/** A face whose person a hand has set. */
export type CorrectedFace = { position: number; box: BoxMessage; person: number };

/** A reading as it is written: beside the faces that stay, every new one has its position. */
export type Kept = { reading: Reading; faces: { position: number; face: FaceResult }[]; faceCount: number | undefined };

// Two boxes that share more than this of their union show the same face.
const SAME_FACE = 0.5;

function shareOf(a: BoxMessage, b: BoxMessage): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  return (width * height) / (a.width * a.height + b.width * b.height - width * height);
}

/**
 * What recognition found, beside what a hand has said before: a face that was corrected stays and is not found a second time;
 * the others take the positions that are free, in order. The person a hand has set is the photo's, else that of its best face.
 */
export function keepCorrected(reading: Reading, corrected: readonly CorrectedFace[]): Kept {
  const found = reading.faces ?? [];
  if (corrected.length === 0) {
    return { reading, faces: found.map((face, position) => ({ position, face })), faceCount: reading.faces?.length };
  }
  const taken = new Set(corrected.map(({ position }) => position));
  const fresh = found.filter((face) => !corrected.some(({ box }) => shareOf(box, face.box) > SAME_FACE));
  let position = -1;
  const faces = fresh.map((face) => {
    do position += 1;
    while (taken.has(position));
    return { position, face };
  });
  const set = corrected.find(({ person }) => person !== NOBODY);
  const best = bestOf(fresh);
  const person = set?.person ?? best?.person ?? NOBODY;
  return {
    reading: {
      ...reading,
      outcome: person === NOBODY ? 'unknown' : 'match',
      person,
      distance: set ? undefined : best?.distance,
    },
    faces,
    faceCount: faces.length + corrected.length,
  };
}

/** Of the faces that have a person, the one nearest to the known photo that it matched. */
export function bestOf(faces: readonly FaceResult[]): FaceResult | undefined {
  return faces.filter(({ person }) => person !== NOBODY).toSorted((a, b) => (a.distance ?? 0) - (b.distance ?? 0))[0];
}
