/**
 * Just enough of WebAssembly's binary format to write two loops in it (https://webassembly.github.io/spec/core/binary): a
 * module that imports its memory and exports functions of i32 parameters.
 */

/** An unsigned number as the format writes it: seven bits a byte, lowest first. */
function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}

/** A signed one. */
function signedLeb(value: number): number[] {
  const isLast = value >= -64 && value < 64;
  return isLast ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signedLeb(value >> 7)];
}

const vector = (...opcode: number[]) => [0xfd, ...opcode];
/** Where a load or a store goes: an alignment as a power of two, and an offset that is added to the address. */
const at = (align: number, offset: number) => [...leb(align), ...leb(offset)];

export const op = {
  loop: (...body: number[][]) => [0x03, 0x40, ...body.flat(), 0x0b],
  /** Back to the beginning of the loop around it, where the number on the stack is not 0. */
  repeatIf: () => [0x0d, 0],
  get: (local: number) => [0x20, ...leb(local)],
  set: (local: number) => [0x21, ...leb(local)],
  tee: (local: number) => [0x22, ...leb(local)],
  i32: (value: number) => [0x41, ...signedLeb(value)],
  loadI32: () => [0x28, ...at(2, 0)],
  storeI32: () => [0x36, ...at(2, 0)],
  storeF32: () => [0x38, ...at(2, 0)],
  ltUnsigned: () => [0x49],
  leSigned: () => [0x4c],
  add: () => [0x6a],
  subtract: () => [0x6b],
  multiply: () => [0x6c],
  shiftRight: () => [0x76],
  addF32: () => [0x92],
  load128: (offset: number) => vector(0x00, ...at(2, offset)),
  /** Eight signed bytes, widened to eight 16-bit numbers. */
  load8x8: (offset: number) => vector(0x01, ...at(0, offset)),
  zeros: () => vector(0x0c, ...Array<number>(16).fill(0)),
  laneI32: (lane: number) => vector(0x1b, lane),
  laneF32: (lane: number) => vector(0x1f, lane),
  subtractI16x8: () => vector(0x91, 0x01),
  addI32x4: () => vector(0xae, 0x01),
  /** Products of eight pairs of 16-bit numbers, added two by two. */
  dotI16x8: () => vector(0xba, 0x01),
  addF32x4: () => vector(0xe4, 0x01),
  subtractF32x4: () => vector(0xe5, 0x01),
  multiplyF32x4: () => vector(0xe6, 0x01),
};

/** How many locals of each type a function has beside its parameters; they are numbered in this order. */
type Locals = { i32: number; v128: number };
export type WasmFunction = { name: string; parameters: number; hasResult: boolean; locals: Locals; body: number[][] };

const I32 = 0x7f;
const V128 = 0x7b;

function list(items: readonly number[][]): number[] {
  return [...leb(items.length), ...items.flat()];
}

function section(id: number, content: number[]): number[] {
  return [id, ...leb(content.length), ...content];
}

function text(value: string): number[] {
  const bytes = [...new TextEncoder().encode(value)];
  return [...leb(bytes.length), ...bytes];
}

/** A module that imports `env.memory`. */
export function assemble(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters, hasResult }) => [
    0x60,
    ...list(Array.from({ length: parameters }, () => [I32])),
    ...list(hasResult ? [[I32]] : []),
  ]);
  const codes = functions.map(({ locals, body }) => {
    const declared = list([
      [...leb(locals.i32), I32],
      [...leb(locals.v128), V128],
    ]);
    const code = [...declared, ...body.flat(), 0x0b];
    return [...leb(code.length), ...code];
  });
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // "\0asm", version 1
    ...section(1, list(types)),
    ...section(2, list([[...text('env'), ...text('memory'), 0x02, 0x00, 1]])),
    ...section(3, list(functions.map((_, i) => leb(i)))),
    ...section(7, list(functions.map(({ name }, i) => [...text(name), 0x00, ...leb(i)]))),
    ...section(10, list(codes)),
  ]);
}
