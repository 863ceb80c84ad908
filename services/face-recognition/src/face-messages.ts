import {
  type CandidateMessage,
  type DecisionMessage,
  type ExaminedFaceMessage,
  type FaceMessage,
  type IdentifyResponseMessage,
  NOT_FOUND,
} from '@kube-face/shared-lib/face-messages';
import type { DecidedFace } from './decide-faces.ts';
import type { Neighbour } from './gallery/search-index.ts';
import type { Identification, IdentifiedFace } from './identify-photo.ts';

/** What the service knows, as the messages of face.proto say it. */
export function identifyResponse(
  model: string,
  { outcome, faces, match, galleryVersion }: Identification,
): IdentifyResponseMessage {
  return { imageName: match?.name ?? NOT_FOUND, outcome, faces: faces.map(faceMessage), model, galleryVersion };
}

export function faceMessage({ box, score, descriptor, candidates, match }: IdentifiedFace): FaceMessage {
  return {
    box,
    score,
    imageName: match?.name ?? '',
    distance: candidates[0]?.distance ?? 0,
    candidates: candidates.map(candidateMessage),
    descriptor: Buffer.from(descriptor.buffer, descriptor.byteOffset, descriptor.byteLength),
  };
}

export function examinedFaceMessage(face: IdentifiedFace): ExaminedFaceMessage {
  return { face: faceMessage(face), sharpness: face.sharpness, cutByEdge: face.cutByEdge };
}

export function decisionMessage(face: DecidedFace): DecisionMessage {
  if (!face) return { decided: false, imageName: '', distance: 0, candidates: [] };
  const { candidates, match } = face;
  return {
    decided: true,
    imageName: match?.name ?? '',
    distance: candidates[0]?.distance ?? 0,
    candidates: candidates.map(candidateMessage),
  };
}

function candidateMessage({ name, distance }: Neighbour): CandidateMessage {
  return { imageName: name, distance };
}
