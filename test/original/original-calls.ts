import { Client, credentials, type handleUnaryCall, Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';

// The original's gRPC methods with the bytes of its messages as protobuf writes them: field 1, wire type 2, a length, the text.
//
//   IdentifyRequest{image_path: "a.jpg"}      0a 05 61 2e 6a 70 67
//   HealthCheckResponse{ready: true}          08 01

const bytes = (value: Buffer) => value;

export const IDENTIFY = '/facerecog.Identify/Identify';
export const HEALTH_CHECK = '/facerecog.HealthCheck/HealthCheck';

export function textField(text: string): Buffer {
  const body = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x0a, body.length]), body]);
}

/** The text of field 1, which comes first: whoever knows no other fields reads this and skips the rest. */
export function readTextField(message: Buffer): string {
  if (message[0] !== 0x0a) throw new Error(`field 1 does not come first: ${message.toString('hex')}`);
  return message.subarray(2, 2 + (message[1] ?? 0)).toString();
}

/** Calls a method with these bytes, as the original's client does: without anything of ours. */
export function originalCall(address: string, method: string, request: Buffer): Promise<Buffer> {
  const client = new Client(address, credentials.createInsecure());
  return new Promise<Buffer>((resolve, reject) => {
    client.makeUnaryRequest(method, bytes, bytes, request, { deadline: Date.now() + 10_000 }, (error, response) =>
      error || !response ? reject(error ?? new Error('no answer')) : resolve(response),
    );
  }).finally(() => client.close());
}

function definition(method: string): ServiceDefinition {
  return {
    call: {
      path: method,
      requestStream: false,
      responseStream: false,
      requestSerialize: bytes,
      requestDeserialize: bytes,
      responseSerialize: bytes,
      responseDeserialize: bytes,
    },
  };
}

/** Serves what the original's face recognition serves: `identify` answers the name of a known photo for a path. */
export async function startOriginalRecognition(identify: (path: string) => string) {
  const server = new Server();
  const answer: handleUnaryCall<Buffer, Buffer> = ({ request }, callback) =>
    callback(null, textField(identify(readTextField(request))));
  const healthy: handleUnaryCall<Buffer, Buffer> = (_call, callback) => callback(null, Buffer.from([0x08, 0x01]));
  server.addService(definition(IDENTIFY), { call: answer });
  server.addService(definition(HEALTH_CHECK), { call: healthy });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { address: `127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}
