import type { Candidate } from './blazeface.ts';
import { centreOf, LEFT_EYE, MOUTH, meanFace, NOSE_TIP, RIGHT_EYE, range } from './mean-face.ts';
import { free } from './memory.ts';
import type { Raster } from './raster.ts';
import type { Network } from './runtime.ts';
import { type Normalisation, sample } from './sample.ts';
import { apply, fitSimilarity, invert } from './similarity.ts';

const SIZE = 112;
const PADDING = 0.4;

/** Of face-api's networks: means of red, green and blue over the photos that they were trained on. */
export const FACE_API: Normalisation = { mean: [122.782, 117.001, 104.298], divisor: 255, channelOrder: 'rgb' };

const MEAN_68 = new Float32Array(136);
MEAN_68.set(meanFace(range(17, 67), SIZE, PADDING), 34);
const TEMPLATE = Float32Array.from([LEFT_EYE, RIGHT_EYE, [NOSE_TIP], MOUTH].flatMap((part) => centreOf(MEAN_68, part)));

/** The 68 points of a face, in pixels of the original: the network looks at a crop in which eyes, nose and mouth stand upright. */
export async function findLandmarks(network: Network, raster: Raster, face: Candidate): Promise<Float32Array> {
  const toCrop = fitSimilarity(face.points.subarray(0, 8), TEMPLATE);
  const toPhoto = invert(toCrop);
  const input = sample(raster, toPhoto, { ...FACE_API, width: SIZE, height: SIZE, coarseness: 2, outside: 'nearest' });
  const { points } = await network.run(input, [1, 3, SIZE, SIZE]);
  free(input);
  if (!points) throw new Error('the landmark network gave no points');
  return apply(
    toPhoto,
    points.map((value) => value * SIZE),
  );
}
