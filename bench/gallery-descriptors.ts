/**
 * Made-up descriptors that lie about as real ones do. The standard deviations along the principal axes were measured on 300
 * descriptors of 210 people (LFW) by the dlib model: some fifty of the 128 dimensions hardly vary. Descriptors of strangers are then
 * 0.8 apart and those of one person 0.4, as in life.
 */
const SPREADS = [
  0.1692, 0.1513, 0.1383, 0.1308, 0.1263, 0.1211, 0.1112, 0.1047, 0.1, 0.097, 0.0897, 0.0881, 0.084, 0.0785, 0.0781, 0.0762,
  0.0738, 0.0724, 0.0696, 0.0694, 0.0676, 0.0668, 0.0643, 0.063, 0.0611, 0.0602, 0.0598, 0.0587, 0.0578, 0.0561, 0.0554, 0.0543,
  0.0531, 0.0519, 0.0507, 0.0494, 0.0489, 0.0477, 0.0466, 0.0456, 0.0435, 0.0431, 0.0423, 0.0421, 0.0412, 0.0411, 0.0387, 0.0382,
  0.0376, 0.0371, 0.0366, 0.036, 0.0356, 0.0341, 0.0336, 0.0332, 0.0312, 0.0309, 0.0306, 0.0297, 0.0295, 0.0283, 0.0275, 0.0254,
  0.0248, 0.024, 0.0235, 0.0228, 0.022, 0.0215, 0.0205, 0.0198, 0.018, 0.017, 0.0161, 0.0155, 0.0106, 0.0019,
];
export const LENGTH = 128;
/** Of the variance between any two photos, the part that two photos of one person differ by. */
const WITHIN = 0.25;

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export type PeopleMaker = {
  /** A person of no one's looks. */
  person(): Float32Array;
  /** A photo of that person. */
  photoOf(person: Float32Array): Float32Array;
};

/** People whose looks vary along axes that stand askew to the coordinates, as a network's do. */
export function createPeople(seed: number): PeopleMaker {
  const random = randomNumbers(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  // A few random reflections turn the axes into all directions, and cost little to apply.
  const mirrors = Array.from({ length: 3 }, () => {
    const direction = Float64Array.from({ length: LENGTH }, normal);
    const norm = Math.sqrt(direction.reduce((sum, value) => sum + value * value, 0));
    return direction.map((value) => value / norm);
  });

  function vary(share: number): Float64Array {
    const values = new Float64Array(LENGTH);
    for (const [i, spread] of SPREADS.entries()) values[i] = spread * Math.sqrt(share) * normal();
    for (const mirror of mirrors) {
      let along = 0;
      for (let i = 0; i < LENGTH; i++) along += (mirror[i] as number) * (values[i] as number);
      for (let i = 0; i < LENGTH; i++) values[i] = (values[i] as number) - 2 * along * (mirror[i] as number);
    }
    return values;
  }

  return {
    person: () => Float32Array.from(vary(1 - WITHIN)),
    photoOf(person) {
      const difference = vary(WITHIN);
      return person.map((value, i) => value + (difference[i] as number));
    },
  };
}
