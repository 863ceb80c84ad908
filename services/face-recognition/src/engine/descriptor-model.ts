import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { FACE_API } from './landmarks.ts';
import { centreOf, LEFT_EYE, MOUTH_CORNERS, meanFace, NOSE_TIP, pick, RIGHT_EYE, range } from './mean-face.ts';
import type { Normalisation } from './sample.ts';
import { fitSimilarity, type Points, type Similarity } from './similarity.ts';
import type { ModelInfo } from './types.ts';

/** A network that makes a descriptor of a face, and what it wants to see. */
export type DescriptorModel = ModelInfo & {
  /** The path of its graph. */
  file: string;
  inputSize: number;
  normalisation: Normalisation;
  /** A known photo's descriptor is the mean of the face's and of its mirror image's: twice the work, once, for fewer strangers named. */
  mirrorKnown: boolean;
  /** Brings a face with these 68 landmarks to the network's square. */
  align(landmarks: Points): Similarity;
};

// Nose and eyes: dlib leaves out jaw, brows and lower lip because they move; less the upper lip it was a little better still.
const ALIGNED = range(27, 47);
const CHIP_PADDING = 0.25;

/** Eyes, nose and corners of the mouth in 112 x 112 pixels, as ArcFace's and most later models want them (insightface, arcface_dst). */
const ARCFACE = [38.2946, 51.6963, 73.5318, 51.5014, 56.0252, 71.7366, 41.5493, 92.3655, 70.7299, 92.2041];

const ALIGNMENTS = {
  dlib: (inputSize: number) => {
    const template = meanFace(ALIGNED, inputSize, CHIP_PADDING);
    return (landmarks: Points) => fitSimilarity(pick(landmarks, ALIGNED), template);
  },
  arcface: (inputSize: number) => {
    const template = ARCFACE.map((value) => (value * inputSize) / 112);
    const parts = [LEFT_EYE, RIGHT_EYE, [NOSE_TIP], ...MOUTH_CORNERS.map((corner) => [corner])];
    return (landmarks: Points) =>
      fitSimilarity(
        parts.flatMap((part) => centreOf(landmarks, part)),
        template,
      );
  },
};

/** dlib's ResNet. The threshold is measured (docs/models.md): dlib's own, 0.6, is for pairs, and names strangers where many are known. */
export function builtInModel(modelsDir: string): DescriptorModel {
  return {
    name: 'dlib-resnet-v1',
    length: 128,
    metric: 'euclidean',
    threshold: 0.5,
    file: join(modelsDir, 'descriptor.onnx'),
    inputSize: 150,
    normalisation: FACE_API,
    mirrorKnown: true,
    align: ALIGNMENTS.dlib(150),
  };
}

const perChannel = z.union([z.number(), z.tuple([z.number(), z.number(), z.number()])]);

/** What `model.json` says of a model of the user's own; docs/models.md explains each. */
const description = z.strictObject({
  name: z.string().min(1).max(100),
  file: z
    .string()
    .min(1)
    .regex(/^[^/\\]+$/, 'a file beside model.json'),
  inputSize: z.int().min(16).max(1024),
  mean: perChannel.default(127.5),
  divisor: z.number().positive().default(127.5),
  channelOrder: z.enum(['rgb', 'bgr']).default('rgb'),
  alignment: z.enum(['arcface', 'dlib']).default('arcface'),
  length: z.int().min(1).max(4096),
  metric: z.enum(['euclidean', 'cosine']).default('cosine'),
  threshold: z.number().positive(),
  mirrorKnown: z.boolean().default(false),
});

/** Fails with one sentence that names what is wrong with the folder. */
export async function readModel(modelDir: string): Promise<DescriptorModel> {
  const path = join(modelDir, 'model.json');
  let parsed: z.ZodSafeParseResult<z.infer<typeof description>>;
  try {
    parsed = description.safeParse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw new Error(`${path} cannot be read`, { cause });
  }
  if (!parsed.success) throw new Error(`${path}: ${z.prettifyError(parsed.error)}`);
  const { name, file, inputSize, mean, divisor, channelOrder, alignment, length, metric, threshold, mirrorKnown } = parsed.data;
  return {
    name,
    length,
    metric,
    threshold,
    file: join(modelDir, file),
    inputSize,
    normalisation: { mean: typeof mean === 'number' ? [mean, mean, mean] : mean, divisor, channelOrder },
    mirrorKnown,
    align: ALIGNMENTS[alignment](inputSize),
  };
}
