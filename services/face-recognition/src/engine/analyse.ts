import type { Candidate } from './blazeface.ts';
import { type StepClock, startClock } from './clock.ts';
import { describeFace } from './describe.ts';
import type { DescriptorModel } from './descriptor-model.ts';
import { findFaces } from './find-faces.ts';
import { findLandmarks } from './landmarks.ts';
import { openPhoto } from './photo.ts';
import type { Network } from './runtime.ts';
import type { Analysis, DetectedFace } from './types.ts';
import { createView, type View } from './view.ts';

export type Dependencies = { detector: Network; landmarks: Network; descriptor: Network; model: DescriptorModel };

// A face is wanted at about the size at which the descriptor network sees it; three quarters of that cost no accuracy that could be measured.
const FACE_PIXELS = 75;

/** Part of a face's width that must lie outside the photo for the face to count as cut. */
const CUT = 0.05;

/** Photo bytes to faces, one photo at a time; fails with a `PhotoError` where the photo is at fault. `known`: its descriptors will be kept. */
export function createAnalyse({ detector, landmarks, descriptor, model }: Dependencies) {
  return async function analyse(bytes: Uint8Array, known = false): Promise<Analysis> {
    const clock = startClock();
    const photo = await openPhoto(bytes);
    clock.lap('decode');
    const view = clock.watch('decode', createView(photo));
    try {
      const faces = await analyseView(view, clock, known);
      return { width: view.width, height: view.height, faces, timings: clock.done() };
    } finally {
      view.free();
    }
  };

  async function analyseView(view: View, clock: StepClock, known: boolean): Promise<DetectedFace[]> {
    const candidates = await findFaces(detector, view);
    const smallest = Math.min(...candidates.map((face) => face.width));
    clock.lap('detect');

    const faces: DetectedFace[] = [];
    for (const candidate of candidates) {
      const raster = await view.at(Math.min(1, FACE_PIXELS / smallest));
      const points = await findLandmarks(landmarks, raster, candidate);
      clock.lap('landmarks');
      const description = await describeFace(descriptor, model, raster, points, known && model.mirrorKnown);
      clock.lap('descriptor');
      faces.push({ ...place(candidate, view), landmarks: points, ...description });
    }
    return faces;
  }
}

function place(face: Candidate, { width, height }: View): Pick<DetectedFace, 'box' | 'score' | 'cutByEdge'> {
  const outside = Math.max(-face.x, -face.y, face.x + face.width - width, face.y + face.height - height);
  const x = Math.max(0, face.x);
  const y = Math.max(0, face.y);
  const box = { x, y, width: Math.min(width, face.x + face.width) - x, height: Math.min(height, face.y + face.height) - y };
  return { box, score: face.score, cutByEdge: outside > CUT * face.width };
}
