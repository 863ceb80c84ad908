import { free } from './memory.ts';
import type { Raster } from './raster.ts';
import type { Network } from './runtime.ts';
import { sample } from './sample.ts';

/** In pixels of the original. `points` are x, y of the right eye, left eye (on the photo: left and right), nose, mouth, and two ears. */
export type Candidate = { x: number; y: number; width: number; height: number; score: number; points: Float32Array };

const MAX_OVERLAP = 0.1;
const MAX_INSIDE = 0.5;

type Size = { width: number; height: number };

// The network halves its input five times over.
const GRAIN = 32;

/** The size at which the network was trained. It sees faces from a twentieth to nearly the whole of it; larger inputs show it smaller faces. */
export const TRAINED_SIZE = 256;

/** Faces on a photo whose longer side is brought to about `size` pixels (a multiple of 32 is made of it), best first, each once. */
export async function detectFaces(
  network: Network,
  photo: Size,
  raster: Raster,
  size: number,
  minScore: number,
): Promise<Candidate[]> {
  const scale = Math.max(photo.width, photo.height) / size;
  const width = Math.ceil(photo.width / scale / GRAIN) * GRAIN;
  const height = Math.ceil(photo.height / scale / GRAIN) * GRAIN;
  const left = (photo.width - width * scale) / 2;
  const top = (photo.height - height * scale) / 2;
  const input = sample(
    raster,
    { a: scale, b: 0, tx: left, ty: top },
    { width, height, mean: [127.5, 127.5, 127.5], divisor: 127.5, channelOrder: 'rgb', coarseness: 2, outside: -1 },
  );
  const { scores, boxes } = await network.run(input, [1, 3, height, width]);
  free(input);
  if (!scores || !boxes) throw new Error('the detector gave no scores and boxes');
  const anchors = anchorCentres(width, height);

  const found: Candidate[] = [];
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!;
    if (score < minScore) continue;
    const at = i * 16;
    const x = anchors[2 * i]!;
    const y = anchors[2 * i + 1]!;
    const faceWidth = boxes[at + 2]! * scale;
    const faceHeight = boxes[at + 3]! * scale;
    const points = new Float32Array(12);
    for (let p = 0; p < 12; p += 2) {
      points[p] = left + (x + boxes[at + 4 + p]!) * scale;
      points[p + 1] = top + (y + boxes[at + 5 + p]!) * scale;
    }
    found.push({
      x: left + (x + boxes[at]!) * scale - faceWidth / 2,
      y: top + (y + boxes[at + 1]!) * scale - faceHeight / 2,
      width: faceWidth,
      height: faceHeight,
      score,
      points,
    });
  }
  return withoutOverlaps(found);
}

/** Non-maximum suppression: of boxes that overlap, the one with the best score stays. */
export function withoutOverlaps(candidates: Candidate[]): Candidate[] {
  const kept: Candidate[] = [];
  for (const candidate of candidates.toSorted((left, right) => right.score - left.score)) {
    if (kept.every((other) => !areTheSame(candidate, other))) kept.push(candidate);
  }
  return kept;
}

/** Two boxes share a tenth of the area that either covers, or one lies by half in the other (a part of a large face that looks like one). */
function areTheSame(left: Candidate, right: Candidate): boolean {
  const width = Math.min(left.x + left.width, right.x + right.width) - Math.max(left.x, right.x);
  const height = Math.min(left.y + left.height, right.y + right.height) - Math.max(left.y, right.y);
  if (width <= 0 || height <= 0) return false;
  const both = width * height;
  const [small = 0, large = 0] = [left.width * left.height, right.width * right.height].sort((a, b) => a - b);
  return both > MAX_OVERLAP * (small + large - both) || both > MAX_INSIDE * small;
}

/** Two anchors in each cell of 16 pixels, then six in each cell of 32, all at the cell's centre. */
function anchorCentres(width: number, height: number): Float32Array {
  const centres: number[] = [];
  for (const { cell, each } of [
    { cell: 16, each: 2 },
    { cell: 32, each: 6 },
  ]) {
    for (let y = cell / 2; y < height; y += cell) {
      for (let x = cell / 2; x < width; x += cell) {
        for (let k = 0; k < each; k++) centres.push(x, y);
      }
    }
  }
  return Float32Array.from(centres);
}
