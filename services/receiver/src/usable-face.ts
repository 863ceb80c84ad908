import type { ExaminedFaceMessage, ExaminedMessage } from '@kube-face/shared-lib/face-messages';

/** Width of a face's box, in pixels, below which its descriptor says little. */
export const MIN_FACE_PX = 40;
/**
 * Variance of the Laplacian below which a face is too blurred to enrol. Lenient: of 75 everyday photos of 250x250 pixels none has
 * less than 12; blurred with a sigma of 3 pixels they have 1.6 to 4.7.
 */
export const MIN_SHARPNESS = 4;
/** A second face of at least this part of the largest one's width makes it unclear whose photo it is. */
const RIVAL_PART = 0.5;

export type Refusal = { code: string; message: string };

const whole = (value: number) => Math.round(value);

/** The one face to enrol by, or why there is none; with the figures that decided. */
export function usableFace(examined: ExaminedMessage): ExaminedFaceMessage | Refusal {
  if (examined.error === 'too_large') return { code: 'too_large', message: 'a photo may have 50 megapixels' };
  if (examined.error !== '') return { code: 'unreadable_image', message: 'the photo cannot be decoded' };
  const faces = examined.faces.toSorted((a, b) => widthOf(b) - widthOf(a));
  const [largest] = faces;
  if (!largest) return { code: 'no_face', message: 'there is no face on the photo' };
  const width = widthOf(largest);
  const rivals = faces.slice(1).filter((face) => widthOf(face) >= width * RIVAL_PART && !face.cutByEdge);
  if (rivals.length > 0) {
    const widths = [largest, ...rivals].map((face) => whole(widthOf(face))).join(', ');
    return {
      code: 'several_faces',
      message: `there are ${rivals.length + 1} faces that could be meant (${widths} pixels wide); a photo must show one person`,
    };
  }
  if (width < MIN_FACE_PX) {
    return { code: 'face_too_small', message: `the face is ${whole(width)} pixels wide; it must have at least ${MIN_FACE_PX}` };
  }
  if (largest.sharpness < MIN_SHARPNESS) {
    const sharpness = largest.sharpness.toFixed(1);
    return { code: 'face_too_blurred', message: `the face's sharpness is ${sharpness}; it must be at least ${MIN_SHARPNESS}` };
  }
  return largest;
}

function widthOf({ face }: ExaminedFaceMessage): number {
  return face.box.width;
}
