import { expect, test } from 'vitest';
import { grpcTarget, protoService } from '../src/proto.ts';

// What the original's clients and servers put on the wire: field 1, length-delimited or varint.
const identify = protoService('Identify').service.Identify;
const health = protoService('HealthCheck').service.HealthCheck;

test("a request of the original's client", () => {
  const bytes = Buffer.from('\x0a\x05a.jpg', 'latin1');
  expect(identify?.requestDeserialize(bytes)).toMatchObject({ imagePath: 'a.jpg' });
  expect(identify?.requestSerialize({ imagePath: 'a.jpg' })).toEqual(bytes);
});

test("an answer of the original's server", () => {
  const bytes = Buffer.from('\x0a\x09not_found', 'latin1');
  expect(identify?.responseDeserialize(bytes)).toMatchObject({ imageName: 'not_found', outcome: '', faces: [] });
});

test('ready is a bool in field 1, and no byte at all means false', () => {
  expect(health?.responseSerialize({ ready: true })).toEqual(Buffer.from([8, 1]));
  expect(health?.responseDeserialize(Buffer.alloc(0))).toEqual({ ready: false });
});

test("paths of the methods are the original's", () => {
  expect(identify?.path).toBe('/facerecog.Identify/Identify');
  expect(health?.path).toBe('/facerecog.HealthCheck/HealthCheck');
});

test('an address is resolved to all of its pods', () => {
  expect(grpcTarget('face-recog:50051')).toBe('dns:///face-recog:50051');
  expect(grpcTarget('dns:///face-recog:50051')).toBe('dns:///face-recog:50051');
});
