import { type Candidate, detectFaces, TRAINED_SIZE, withoutOverlaps } from './blazeface.ts';
import type { Network } from './runtime.ts';
import type { View } from './view.ts';

/** The smallest face, in pixels of the original, that is looked for. */
const SMALLEST_FACE = 30;

// Measured on LFW faces of all sizes (docs/models.md): of faces 14 pixels wide in what it is given the network finds 97 in a hundred, of 10
// pixels 89, of 8 only 60; and on small photos an input of 160 finds and places faces as well as one of 256 does.
const SMALLEST_SEEN = 14;
const SMALLEST_INPUT = 160;
const LARGEST_INPUT = 1280;

// A face below this many pixels of what the network is given, or something that may be one, says that there may be more that are too small to
// be seen; the second look adds what the first may have missed, and leaves alone what it cannot have.
const TELLING = 16;
const MISSABLE = 24;
const MIN_SCORE = 0.5;
const SUSPECT_SCORE = 0.25;

// Where the photo is decoded for the first look, so that most faces need no second decoding.
const FIRST_SIZE = 1000;

/**
 * All faces of a photo, largest first. The photo is looked at once, as a whole and small. Where that shows nothing, or small faces, it is
 * looked at again larger, so that faces of 30 pixels come out: small ones alone, since of a large one the network then sees parts.
 */
export async function findFaces(network: Network, view: View): Promise<Candidate[]> {
  const longest = Math.max(view.width, view.height);
  const wanted = (longest * SMALLEST_SEEN) / SMALLEST_FACE;
  const coarse = Math.min(TRAINED_SIZE, Math.max(SMALLEST_INPUT, wanted));
  const seen = await detectFaces(network, view, await view.at(FIRST_SIZE / longest), coarse, SUSPECT_SCORE);
  const found = seen.filter((face) => face.score >= MIN_SCORE);

  const isBelow = (pixels: number) => (face: Candidate) => (face.width * coarse) / longest < pixels;
  if (wanted > coarse && (found.length === 0 || seen.some(isBelow(TELLING)))) {
    const fine = Math.min(LARGEST_INPUT, wanted);
    const closer = await detectFaces(network, view, await view.at(fine / longest), fine, MIN_SCORE);
    found.push(...closer.filter(isBelow(MISSABLE)));
  }
  return withoutOverlaps(found).toSorted((left, right) => right.width * right.height - left.width * left.height);
}
