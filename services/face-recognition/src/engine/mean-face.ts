import type { Points } from './similarity.ts';

/**
 * Where points 17 to 67 of a face lie on average, in a square that the brows, and the brows and the lips, just touch: dlib's, from
 * dlib/image_transforms/interpolation.h (Boost licence). dlib's ResNet was trained on faces that were brought to it.
 */
const FIRST = 17;
const MEAN_X = [
  0.000213256, 0.0752622, 0.18113, 0.29077, 0.393397, 0.586856, 0.689483, 0.799124, 0.904991, 0.98004, 0.490127, 0.490127,
  0.490127, 0.490127, 0.36688, 0.426036, 0.490127, 0.554217, 0.613373, 0.121737, 0.187122, 0.265825, 0.334606, 0.260918, 0.182743,
  0.645647, 0.714428, 0.793132, 0.858516, 0.79751, 0.719335, 0.254149, 0.340985, 0.428858, 0.490127, 0.551395, 0.639268, 0.726104,
  0.642159, 0.556721, 0.490127, 0.423532, 0.338094, 0.290379, 0.428096, 0.490127, 0.552157, 0.689874, 0.553364, 0.490127, 0.42689,
];
const MEAN_Y = [
  0.106454, 0.038915, 0.0187482, 0.0344891, 0.0773906, 0.0773906, 0.0344891, 0.0187482, 0.038915, 0.106454, 0.203352, 0.307009,
  0.409805, 0.515625, 0.587326, 0.609345, 0.628106, 0.609345, 0.587326, 0.216423, 0.178758, 0.179852, 0.231733, 0.245099,
  0.244077, 0.231733, 0.179852, 0.178758, 0.216423, 0.244077, 0.245099, 0.780233, 0.745405, 0.727388, 0.742578, 0.727388,
  0.745405, 0.780233, 0.864805, 0.902192, 0.909281, 0.902192, 0.864805, 0.784792, 0.778746, 0.785343, 0.778746, 0.784792,
  0.824182, 0.831803, 0.824182,
];

/** Points of the mean face in a square crop: `padding` of the face's size is left on each side. */
export function meanFace(indices: readonly number[], size: number, padding: number): Float32Array {
  const place = (value: number) => ((padding + value) / (1 + 2 * padding)) * size;
  return Float32Array.from(indices.flatMap((i) => [place(MEAN_X[i - FIRST] ?? 0), place(MEAN_Y[i - FIRST] ?? 0)]));
}

export function pick(points: Points, indices: readonly number[]): Float32Array {
  return Float32Array.from(indices.flatMap((i) => [points[2 * i] ?? 0, points[2 * i + 1] ?? 0]));
}

/** The mean of some points. */
export function centreOf(points: Points, indices: readonly number[]): [number, number] {
  const chosen = pick(points, indices);
  let x = 0;
  let y = 0;
  for (let i = 0; i < chosen.length; i += 2) {
    x += chosen[i]!;
    y += chosen[i + 1]!;
  }
  return [x / indices.length, y / indices.length];
}

export const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

export const LEFT_EYE = range(36, 41);
export const RIGHT_EYE = range(42, 47);
export const NOSE_TIP = 30;
export const MOUTH = range(48, 59);
export const MOUTH_CORNERS = [48, 54] as const;
