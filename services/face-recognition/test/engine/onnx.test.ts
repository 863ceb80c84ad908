import { expect, test } from 'vitest';
import { encodeOnnx } from '../../scripts/models/onnx.ts';
import { bytesField, messageField, varintField } from '../../scripts/models/protobuf.ts';

test('writes a number as field and type, then seven bits a byte, the lowest first', () => {
  expect([...varintField(1, 5)]).toEqual([0x08, 0x05]);
  expect([...varintField(2, 300)]).toEqual([0x10, 0xac, 0x02]);
  expect([...varintField(1, -1)]).toEqual([0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
});

test('writes text and messages with their length before them', () => {
  expect([...bytesField(2, 'ab')]).toEqual([0x12, 2, 0x61, 0x62]);
  expect([...messageField(20, [varintField(1, 1)])]).toEqual([0xa2, 0x01, 2, 0x08, 0x01]);
});

test('writes a graph of one node', () => {
  const bytes = encodeOnnx({
    name: 'g',
    inputs: [{ name: 'x', shape: [1, 'n'] }],
    outputs: [],
    nodes: [{ op: 'Relu', inputs: ['x'], output: 'y', attributes: {} }],
    initializers: [],
  });
  expect(Buffer.from(bytes).toString('hex')).toBe(
    [
      '0807', // ir version 7
      `1209${Buffer.from('kube-face').toString('hex')}`, // producer
      '3a2a', // graph of 42 bytes
      '0a0f', // its node of 15 bytes
      '0a0178', // input x
      '120179', // output y
      '1a0179', // name y
      `2204${Buffer.from('Relu').toString('hex')}`,
      '120167', // name g
      '5a14', // input of 20 bytes
      '0a0178', // name x
      '120f0a0d', // its type: a tensor of 13 bytes
      '0801', // of floats
      '1209', // of this shape
      '0a020801', // 1
      '0a03', // a size that has a name
      '12016e',
      '4204', // operators
      '0a00', // of the standard's own
      '100d', // version 13
    ].join(''),
  );
});
