/**
 * Gives an array's memory back at once; it must not be used any more. The garbage collector would too, but only once tens of megabytes in
 * every worker wait for it.
 */
export function free(array: Uint8Array | Float32Array): void {
  if (array.buffer instanceof ArrayBuffer) array.buffer.transfer(0);
}
