import { type BoxMessage, type FaceMessage, type IdentifyResponseMessage, NOT_FOUND } from '@kube-face/shared-lib/face-messages';
import { NOBODY, type ProcessedOutcome } from '@kube-face/shared-lib/image-status';
import { type CandidatePerson, nameFace, type OwnerOf } from '@kube-face/shared-lib/name-face';
import { bestOf } from './keep-corrected.ts';

export type FaceResult = Pick<FaceMessage, 'box' | 'score' | 'descriptor'> & {
  person: number;
  imageName: string | undefined;
  distance: number | undefined;
  candidates: CandidatePerson[];
};

/** What is written about a photo on which recognition ran. `faces` is undefined where the service tells of none. */
export type Reading = {
  outcome: ProcessedOutcome;
  person: number;
  distance: number | undefined;
  detail: string | undefined;
  faces: FaceResult[] | undefined;
  model: string | undefined;
  galleryVersion: number | undefined;
};

/** Every known photo whose owner must be looked up before the answer can be read. */
export function knownPhotosIn(answer: IdentifyResponseMessage): string[] {
  const names = answer.faces.flatMap((face) => face.candidates.map(({ imageName }) => imageName));
  return [...new Set([...names, answer.imageName])].filter((name) => name !== '' && name !== NOT_FOUND);
}

// What travels as a float32 has no more digits than these.
function shorten(value: number): number {
  return Number(value.toFixed(6));
}

// Nobody sees a part of a pixel.
function wholePixels({ x, y, width, height }: BoxMessage): BoxMessage {
  return { x: Math.round(x), y: Math.round(y), width: Math.round(width), height: Math.round(height) };
}

function readFace(face: FaceMessage, ownerOf: OwnerOf, threshold: number | undefined) {
  const near = face.candidates.map(({ imageName, distance }) => ({ imageName, distance: shorten(distance) }));
  // Where the threshold is not known, the service's own match is the last that counts.
  const matched = near.find(({ imageName }) => imageName === face.imageName);
  const limit = threshold === undefined ? (matched?.distance ?? -1) : shorten(threshold);
  const { match, candidates, lookAlikes } = nameFace(near, ownerOf, limit);
  const result: FaceResult = {
    box: wholePixels(face.box),
    score: shorten(face.score),
    descriptor: face.descriptor,
    person: match?.person ?? NOBODY,
    imageName: match?.imageName,
    distance: match?.distance ?? near[0]?.distance,
    candidates,
  };
  return { result, lookAlikes };
}

/**
 * Who is on a photo. `person` is that of the photo's best face: the one nearest to the known photo it matched. The original's
 * service tells one known photo and no faces.
 */
export function readAnswer(
  answer: IdentifyResponseMessage,
  ownerOf: OwnerOf,
  thresholdOf: (model: string) => number | undefined,
): Reading {
  if (answer.outcome === '') return readOriginal(answer, ownerOf);
  const read = answer.faces.map((face) => readFace(face, ownerOf, thresholdOf(answer.model)));
  const best = bestOf(read.map(({ result }) => result));
  // By ids: a name in the row would outlive the person.
  const ties = read.flatMap(({ lookAlikes }, index) =>
    lookAlikes ? [`face ${index + 1} is as near to person ${lookAlikes[0]} as to person ${lookAlikes[1]}`] : [],
  );
  return {
    outcome: best ? 'match' : read.length > 0 ? 'unknown' : 'no_face',
    person: best?.person ?? NOBODY,
    distance: best?.distance,
    detail: ties.length > 0 ? ties.join('; ') : undefined,
    faces: read.map(({ result }) => result),
    model: answer.model,
    galleryVersion: answer.galleryVersion,
  };
}

function readOriginal({ imageName }: IdentifyResponseMessage, ownerOf: OwnerOf): Reading {
  const owner = ownerOf(imageName);
  return {
    outcome: owner ? 'match' : 'unknown',
    person: owner?.id ?? NOBODY,
    distance: undefined,
    detail: undefined,
    faces: undefined,
    model: undefined,
    galleryVersion: undefined,
  };
}
