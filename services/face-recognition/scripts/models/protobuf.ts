/**
 * The two wire types of protobuf that an ONNX file needs.
 *
 *   key = (field number << 3) | wire type        0: varint        2: length, then that many bytes
 */
export type Field = Uint8Array;

export function varintField(field: number, value: number | bigint): Field {
  return Buffer.concat([varint((field << 3) | 0), varint(value)]);
}

export function bytesField(field: number, value: Uint8Array | string): Field {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);
}

export function messageField(field: number, parts: Field[]): Field {
  return bytesField(field, Buffer.concat(parts));
}

function varint(value: number | bigint): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Uint8Array.from(bytes);
}
