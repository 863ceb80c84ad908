/** One photo: what stands for it while it is known, and what while it is asked about. */
export type Portrait = { person: string; known: Float32Array; asked: Float32Array };

export type Distances = {
  /** Of each photo asked about, to every other photo of the same person. */
  same: number[];
  /** Of each photo asked about, to every photo of anybody else. */
  others: number[];
  /** Of each photo asked about, to the nearest other photo of the same person; people with one photo have none. */
  nearestSame: number[];
  /** Of each photo asked about, to the nearest photo of anybody else: what would name it, were its person unknown. */
  nearestOther: number[];
};

export type Rates = {
  threshold: number;
  /** Pairs of two people taken for one, and pairs of one person not taken for one, as shares. */
  falseMatch: number;
  falseNonMatch: number;
  /** Strangers who get a name, and known people who get none, where all these photos are known. */
  strangersNamed: number;
  peopleMissed: number;
};

export function measure(portraits: readonly Portrait[], metric: 'euclidean' | 'cosine'): Distances {
  const distance = metric === 'euclidean' ? euclidean : cosine;
  const distances: Distances = { same: [], others: [], nearestSame: [], nearestOther: [] };
  for (const one of portraits) {
    let same = Number.POSITIVE_INFINITY;
    let other = Number.POSITIVE_INFINITY;
    for (const two of portraits) {
      if (two === one) continue;
      const far = distance(one.asked, two.known);
      if (two.person === one.person) {
        distances.same.push(far);
        same = Math.min(same, far);
      } else {
        distances.others.push(far);
        other = Math.min(other, far);
      }
    }
    if (same < Number.POSITIVE_INFINITY) distances.nearestSame.push(same);
    if (other < Number.POSITIVE_INFINITY) distances.nearestOther.push(other);
  }
  return distances;
}

export function ratesAt(threshold: number, { same, others, nearestSame, nearestOther }: Distances): Rates {
  const within = (distances: number[]) => distances.filter((far) => far <= threshold).length / Math.max(1, distances.length);
  return {
    threshold,
    falseMatch: within(others),
    falseNonMatch: 1 - within(same),
    strangersNamed: within(nearestOther),
    peopleMissed: 1 - within(nearestSame),
  };
}

/**
 * The threshold with the fewest mistakes, counting a stranger who gets a name twice: it says of somebody where he was not. Halfway between
 * the distances on both sides of it, so that it does not hang on one photo.
 */
export function proposeThreshold(distances: Distances): number {
  const candidates = [...new Set([0, ...distances.nearestSame, ...distances.nearestOther])].toSorted(
    (left, right) => left - right,
  );
  let best = { threshold: 0, cost: Number.POSITIVE_INFINITY };
  for (const [i, candidate] of candidates.entries()) {
    const next = candidates[i + 1] ?? candidate;
    const { strangersNamed, peopleMissed } = ratesAt(candidate, distances);
    const cost = 2 * strangersNamed + peopleMissed;
    if (cost < best.cost) best = { threshold: (candidate + next) / 2, cost };
  }
  return best.threshold;
}

function euclidean(left: Float32Array, right: Float32Array): number {
  let sum = 0;
  for (const [i, value] of left.entries()) sum += (value - (right[i] ?? 0)) ** 2;
  return Math.sqrt(sum);
}

/** Of descriptors of length 1, as the engine gives them. */
function cosine(left: Float32Array, right: Float32Array): number {
  let product = 0;
  for (const [i, value] of left.entries()) product += value * (right[i] ?? 0);
  return 1 - product;
}
