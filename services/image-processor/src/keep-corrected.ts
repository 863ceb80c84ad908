import type { BoxMessage } from '@kube-face/shared-lib/face-messages';

// Two boxes that share more than this of their union show the same face.
const SAME_FACE = 0.5;

function shareOf(a: BoxMessage, b: BoxMessage): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  return (width * height) / (a.width * a.height + b.width * b.height - width * height);
}

/**
 * The faces to write beside those that a hand has corrected: a face that was corrected is not found a second time, and the
 * others take the positions that are free, in order.
 */
export function keepCorrected<Face extends { box: BoxMessage }>(
  faces: readonly Face[],
  corrected: readonly { position: number; box: BoxMessage }[],
): { position: number; face: Face }[] {
  const taken = new Set(corrected.map(({ position }) => position));
  const fresh = faces.filter((face) => !corrected.some(({ box }) => shareOf(box, face.box) > SAME_FACE));
  let position = -1;
  return fresh.map((face) => {
    do position += 1;
    while (taken.has(position));
    return { position, face };
  });
}
