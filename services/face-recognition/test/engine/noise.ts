/** The same grey levels at each call, for whoever has to see the same as another: [height, width, 3]. */
export function noise(width: number, height: number): Float32Array {
  let state = 7;
  return Float32Array.from({ length: width * height * 3 }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state % 256;
  });
}
