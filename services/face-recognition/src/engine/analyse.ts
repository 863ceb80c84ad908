import { type Candidate, detectFaces } from './blazeface.ts';
import { describeFace } from './describe.ts';
import type { DescriptorModel } from './descriptor-model.ts';
import { findLandmarks } from './landmarks.ts';
import { openPhoto, type Photo } from './photo.ts';
import type { Raster } from './raster.ts';
import type { Network } from './runtime.ts';
import type { Analysis, Box, DetectedFace } from './types.ts';

export type Dependencies = { detector: Network; landmarks: Network; descriptor: Network; model: DescriptorModel };

/** Part of a face's width that must lie outside the photo for the face to count as cut. */
const CUT = 0.05;

/** Photo bytes to faces; fails with a `PhotoError` where the photo is at fault. One photo at a time. */
export function createAnalyse({ detector, landmarks, descriptor, model }: Dependencies) {
  return async function analyse(bytes: Uint8Array): Promise<Analysis> {
    const clock = startClock();
    const photo = await openPhoto(bytes);
    const raster = await photo.read(Math.min(1, 800 / Math.max(photo.width, photo.height)));
    clock.lap('decode');

    const whole = { x: 0, y: 0, width: raster.width, height: raster.height };
    const candidates = await detectFaces(detector, raster, whole, 256);
    clock.lap('detect');

    const faces: DetectedFace[] = [];
    for (const candidate of candidates.toSorted((left, right) => right.width - left.width)) {
      const points = await findLandmarks(landmarks, raster, candidate);
      clock.lap('landmarks');
      const description = await describeFace(descriptor, model, raster, points);
      clock.lap('descriptor');
      faces.push({ ...place(candidate, raster, photo), landmarks: points.map((value) => value / raster.scale), ...description });
    }
    return { width: photo.width, height: photo.height, faces, timings: clock.done() };
  };
}

function place(face: Candidate, { scale }: Raster, { width, height }: Photo): { box: Box; score: number; cutByEdge: boolean } {
  const [left, top, right, bottom] = [
    face.x / scale,
    face.y / scale,
    (face.x + face.width) / scale,
    (face.y + face.height) / scale,
  ];
  const outside = Math.max(-left, -top, right - width, bottom - height);
  const x = Math.max(0, left);
  const y = Math.max(0, top);
  const box = { x, y, width: Math.min(width, right) - x, height: Math.min(height, bottom) - y };
  return { box, score: face.score, cutByEdge: outside > (CUT * face.width) / scale };
}

function startClock() {
  const start = performance.now();
  const timings: Record<string, number> = {};
  let last = start;
  return {
    lap(step: string): void {
      const now = performance.now();
      timings[step] = (timings[step] ?? 0) + now - last;
      last = now;
    },
    done: () => ({ ...timings, total: performance.now() - start }),
  };
}
