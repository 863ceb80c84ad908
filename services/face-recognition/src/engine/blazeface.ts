import type { Raster } from './raster.ts';
import type { Network } from './runtime.ts';
import { sample } from './sample.ts';

/** In raster pixels. `points` are x, y of the right eye, left eye (on the photo: left and right), nose, mouth, and two ears. */
export type Candidate = { x: number; y: number; width: number; height: number; score: number; points: Float32Array };

/** A piece of the raster that is looked at as one, in raster pixels. */
export type Region = { x: number; y: number; width: number; height: number };

const MIN_SCORE = 0.5;
const MAX_OVERLAP = 0.1;

// The network halves its input five times over.
const GRAIN = 32;

/**
 * Faces in a region of the photo, best first, each once. The region's longer side is brought to `size` pixels, a multiple of 32; the network
 * was trained at 256 and finds faces from a twentieth of that to nearly all of it.
 */
export async function detectFaces(
  network: Network,
  raster: Raster,
  region: Region,
  size: number,
  minScore = MIN_SCORE,
): Promise<Candidate[]> {
  const scale = Math.max(region.width, region.height) / size;
  const width = Math.ceil(region.width / scale / GRAIN) * GRAIN;
  const height = Math.ceil(region.height / scale / GRAIN) * GRAIN;
  const left = region.x + (region.width - width * scale) / 2;
  const top = region.y + (region.height - height * scale) / 2;
  const input = sample(
    raster,
    { a: scale, b: 0, tx: left, ty: top },
    { width, height, mean: [127.5, 127.5, 127.5], divisor: 127.5, channelOrder: 'rgb', oversampling: 1, outside: -1 },
    new Float32Array(3 * width * height),
  );
  const { scores, boxes } = await network.run(input, [1, 3, height, width]);
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
export function withoutOverlaps(candidates: Candidate[], maxOverlap = MAX_OVERLAP): Candidate[] {
  const kept: Candidate[] = [];
  for (const candidate of candidates.toSorted((left, right) => right.score - left.score)) {
    if (kept.every((other) => overlap(candidate, other) <= maxOverlap)) kept.push(candidate);
  }
  return kept;
}

/** The area that both cover, as a share of the area that either covers. */
function overlap(left: Candidate, right: Candidate): number {
  const width = Math.min(left.x + left.width, right.x + right.width) - Math.max(left.x, right.x);
  const height = Math.min(left.y + left.height, right.y + right.height) - Math.max(left.y, right.y);
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  return both / (left.width * left.height + right.width * right.height - both);
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
