import { assemble, op } from './wasm-code.ts';

/** Numbers in a row of floats: a multiple of this, filled up with zeros. */
export const FLOAT_LANES = 16;
/** Bytes in a row of the filter: dlib's descriptors have 93 % of their variance in so many directions. */
export const FILTER_BYTES = 48;

const { get, set, tee, i32, add } = op;

/** `target += step` */
const advance = (target: number, step: number) => [...get(target), ...i32(step), ...add(), ...set(target)];

/**
 * A loop over rows of float32 that each give one float32: (rows, stride, indices, count, query, out) → for each of `count` row
 * numbers what `term` sums up. Sixteen numbers at a time in four sums, so that no addition waits for the one before.
 * `term` makes what is added of the row's numbers and the query's, both on the stack.
 */
function overRows(name: string, term: (scratch: number) => number[]) {
  const [rows, stride, indices, count, query, out] = [0, 1, 2, 3, 4, 5];
  const [row, at, end, last] = [6, 7, 8, 9];
  const [sums, scratch] = [[10, 11, 12, 13], 14] as const;
  const step = sums.flatMap((sum, lane) => [
    ...[...get(row), ...op.load128(lane * 16), ...get(at), ...op.load128(lane * 16), ...term(scratch)],
    ...[...get(sum), ...op.addF32x4(), ...set(sum)],
  ]);
  return {
    name,
    parameters: 6,
    hasResult: false,
    locals: { i32: 4, v128: 5 },
    body: [
      [...get(query), ...get(stride), ...add(), ...set(end)],
      [...get(indices), ...get(count), ...i32(4), ...op.multiply(), ...add(), ...set(last)],
      op.loop(
        [...get(indices), ...op.loadI32(), ...get(stride), ...op.multiply(), ...get(rows), ...add(), ...set(row)],
        [...get(query), ...set(at)],
        sums.flatMap((sum) => [...op.zeros(), ...set(sum)]),
        op.loop(step, advance(row, 64), advance(at, 64), [...get(at), ...get(end), ...op.ltUnsigned()], op.repeatIf()),
        [...get(sums[0]), ...get(sums[1]), ...op.addF32x4(), ...get(sums[2]), ...get(sums[3]), ...op.addF32x4()],
        [...op.addF32x4(), ...set(scratch), ...get(out)],
        [...get(scratch), ...op.laneF32(0), ...get(scratch), ...op.laneF32(1), ...op.addF32()],
        [...get(scratch), ...op.laneF32(2), ...get(scratch), ...op.laneF32(3), ...op.addF32(), ...op.addF32()],
        op.storeF32(),
        advance(out, 4),
        advance(indices, 4),
        [...get(indices), ...get(last), ...op.ltUnsigned()],
        op.repeatIf(),
      ),
    ],
  };
}

/** Squared euclidean distances of rows to the query. */
const distances = overRows('distances', (difference) => [
  ...[...op.subtractF32x4(), ...tee(difference), ...get(difference), ...op.multiplyF32x4()],
]);

/** Products of rows and the query: how far it lies along each of them. */
const products = overRows('products', op.multiplyF32x4);

/**
 * filter(rows, first, count, query, limit, out) → how many: the numbers, counted from `first`, of those among `count` rows of
 * `FILTER_BYTES` signed bytes whose squared distance to the query is at most `limit`. Every number is written, and the next one
 * over it unless it counts: no branch to predict.
 */
const filter = (() => {
  const [rows, first, count, query, limit, out] = [0, 1, 2, 3, 4, 5];
  const [end, start] = [6, 7];
  const [difference, sum] = [8, 9];
  const queries = Array.from({ length: FILTER_BYTES / 8 }, (_, part) => 10 + part);
  const squares = queries.flatMap((local, part) => [
    ...[...get(rows), ...op.load8x8(part * 8), ...get(local), ...op.subtractI16x8(), ...tee(difference)],
    ...[...get(difference), ...op.dotI16x8(), ...(part > 0 ? op.addI32x4() : [])],
  ]);
  return {
    name: 'filter',
    parameters: 6,
    hasResult: true,
    locals: { i32: 2, v128: 2 + queries.length },
    body: [
      queries.flatMap((local, part) => [...get(query), ...op.load8x8(part * 8), ...set(local)]),
      [...get(first), ...get(count), ...add(), ...set(end), ...get(out), ...set(start)],
      op.loop(
        [...get(out), ...get(first), ...op.storeI32(), ...get(out)],
        [...squares, ...set(sum)],
        [...get(sum), ...op.laneI32(0), ...get(sum), ...op.laneI32(1), ...add()],
        [...get(sum), ...op.laneI32(2), ...get(sum), ...op.laneI32(3), ...add(), ...add()],
        [...get(limit), ...op.leSigned(), ...i32(4), ...op.multiply(), ...add(), ...set(out)],
        advance(rows, FILTER_BYTES),
        advance(first, 1),
        [...get(first), ...get(end), ...op.ltUnsigned()],
        op.repeatIf(),
      ),
      [...get(out), ...get(start), ...op.subtract(), ...i32(2), ...op.shiftRight()],
    ],
  };
})();

type OverRows = (rows: number, stride: number, indices: number, count: number, query: number, out: number) => void;

export type SearchKernel = {
  distances: OverRows;
  products: OverRows;
  filter(rows: number, first: number, count: number, query: number, limit: number, out: number): number;
};

const module = new WebAssembly.Module(assemble([distances, products, filter]));

/** The loops over one memory; arguments are byte addresses in it. `count` is at least 1. */
export function createSearchKernel(memory: WebAssembly.Memory): SearchKernel {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as SearchKernel;
}
