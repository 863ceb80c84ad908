/** The messages of proto/face.proto as the proto loader gives them: camel case, defaults filled in, bytes as Buffers. */
export type BoxMessage = { x: number; y: number; width: number; height: number };
export type CandidateMessage = { imageName: string; distance: number };
export type FaceMessage = {
  box: BoxMessage;
  score: number;
  imageName: string;
  distance: number;
  candidates: CandidateMessage[];
  descriptor: Buffer;
};
export type IdentifyRequestMessage = { imagePath: string };
export type IdentifyResponseMessage = {
  imageName: string;
  outcome: string;
  faces: FaceMessage[];
  model: string;
  galleryVersion: number;
};
export type HealthCheckResponseMessage = { ready: boolean };
export type EnrolRequestMessage = { photo: Buffer } | { added: { imageNames: string[] } } | { removed: { imageNames: string[] } };
export type ExaminedFaceMessage = { face: FaceMessage; sharpness: number; cutByEdge: boolean };
export type ExaminedMessage = { error: string; width: number; height: number; faces: ExaminedFaceMessage[]; model: string };
export type LoadedMessage = { galleryVersion: number; missing: string[] };
export type EnrolResponseMessage = { step: 'examined'; examined: ExaminedMessage } | { step: 'loaded'; loaded: LoadedMessage };
export type DecideRequestMessage = { descriptors: Buffer[]; model: string; among: string[]; threshold?: number };
export type DecisionMessage = { decided: boolean; imageName: string; distance: number; candidates: CandidateMessage[] };
export type DecideResponseMessage = { decisions: DecisionMessage[]; galleryVersion: number };
export type DescribeResponseMessage = {
  model: string;
  threshold: number;
  galleryVersion: number;
  gallerySize: number;
  workers: number;
  queueLimit: number;
  engine: string;
};

/** In `IdentifyResponse.image_name`, where nobody was recognised. */
export const NOT_FOUND = 'not_found';
