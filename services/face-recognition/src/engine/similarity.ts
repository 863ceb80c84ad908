/** x, y, x, y, … */
export type Points = ArrayLike<number>;

/** A turn, a scale and a shift: (x, y) becomes (a·x − b·y + tx, b·x + a·y + ty). */
export type Similarity = { a: number; b: number; tx: number; ty: number };

/** The similarity that brings `from` nearest to `to`, in the least squares sense. Points that all coincide give no scale: a shift. */
export function fitSimilarity(from: Points, to: Points): Similarity {
  const count = from.length / 2;
  let fromX = 0;
  let fromY = 0;
  let toX = 0;
  let toY = 0;
  for (let i = 0; i < count; i++) {
    fromX += from[2 * i]! / count;
    fromY += from[2 * i + 1]! / count;
    toX += to[2 * i]! / count;
    toY += to[2 * i + 1]! / count;
  }
  let along = 0;
  let across = 0;
  let spread = 0;
  for (let i = 0; i < count; i++) {
    const x = from[2 * i]! - fromX;
    const y = from[2 * i + 1]! - fromY;
    const u = to[2 * i]! - toX;
    const v = to[2 * i + 1]! - toY;
    along += x * u + y * v;
    across += x * v - y * u;
    spread += x * x + y * y;
  }
  const a = spread > 0 ? along / spread : 1;
  const b = spread > 0 ? across / spread : 0;
  return { a, b, tx: toX - a * fromX + b * fromY, ty: toY - b * fromX - a * fromY };
}

export function invert({ a, b, tx, ty }: Similarity): Similarity {
  const size = a * a + b * b;
  const inverse = { a: a / size, b: -b / size };
  return { ...inverse, tx: -(inverse.a * tx - inverse.b * ty), ty: -(inverse.b * tx + inverse.a * ty) };
}

export function apply({ a, b, tx, ty }: Similarity, points: Points): Float32Array {
  const out = new Float32Array(points.length);
  for (let i = 0; i < points.length; i += 2) {
    const x = points[i]!;
    const y = points[i + 1]!;
    out[i] = a * x - b * y + tx;
    out[i + 1] = b * x + a * y + ty;
  }
  return out;
}

/** How many times longer a line gets. */
export function scaleOf({ a, b }: Similarity): number {
  return Math.hypot(a, b);
}
