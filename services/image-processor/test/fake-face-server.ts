import { Metadata, Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import type {
  DescribeResponseMessage,
  IdentifyRequestMessage,
  IdentifyResponseMessage,
} from '@kube-face/shared-lib/face-messages';
import { BEGAN_METADATA, OUTCOME_METADATA } from '@kube-face/shared-lib/face-metadata';
import { protoService } from '@kube-face/shared-lib/proto';

export type FakeAnswer =
  | Partial<IdentifyResponseMessage>
  | { status: status; outcome?: string; details?: string; began?: boolean }
  /** Takes the photo up and never answers. */
  | 'hang'
  /** Never even takes it up. */
  | 'wait';

export type FakeFaceServer = {
  address: string;
  /** Paths of the calls that came, in order. */
  calls: string[];
  /** Calls that were under way at once, at most. */
  mostAtOnce: () => number;
  pings: () => number;
  answer: (path: string) => FakeAnswer | Promise<FakeAnswer>;
  isReady: boolean;
  stop(): void;
};

/** What it says about itself. */
export const DESCRIPTION: DescribeResponseMessage = {
  model: 'fake',
  threshold: 0.5,
  galleryVersion: 7,
  gallerySize: 1,
  workers: 2,
  queueLimit: 4,
  engine: 'onnxruntime-web',
};

/** `kind: 'original'` has no Gallery service and tells nothing of beginning. Port 0 takes a free one. */
export async function startFakeFaceServer({
  kind = 'ours',
  port = 0,
  workers = DESCRIPTION.workers,
} = {}): Promise<FakeFaceServer> {
  const server = new Server();
  const underWay = new Set<object>();
  let most = 0;
  let pings = 0;

  async function identify(
    call: ServerUnaryCall<IdentifyRequestMessage, IdentifyResponseMessage>,
    callback: sendUnaryData<Partial<IdentifyResponseMessage>>,
  ) {
    fake.calls.push(call.request.imagePath);
    underWay.add(call);
    most = Math.max(most, underWay.size);
    call.once('cancelled', () => underWay.delete(call));
    const answer = await fake.answer(call.request.imagePath);
    if (answer === 'wait') return;
    const began = typeof answer === 'string' || !('status' in answer) || answer.began === true;
    const metadata = new Metadata();
    if (began && kind === 'ours') metadata.set(BEGAN_METADATA, '1');
    call.sendMetadata(metadata);
    if (answer === 'hang' || call.cancelled) return;
    underWay.delete(call);
    if (!('status' in answer)) return callback(null, answer);
    const trailers = new Metadata();
    if (answer.outcome) trailers.set(OUTCOME_METADATA, answer.outcome);
    callback({ code: answer.status, details: answer.details ?? 'scripted', metadata: trailers });
  }

  const fake: FakeFaceServer = {
    address: '',
    calls: [],
    mostAtOnce: () => most,
    pings: () => pings,
    answer: () => ({ imageName: 'not_found', outcome: 'no_face' }),
    isReady: true,
    stop: () => server.forceShutdown(),
  };
  server.addService(protoService('Identify').service, { identify });
  server.addService(protoService('HealthCheck').service, {
    healthCheck(_call: unknown, callback: sendUnaryData<{ ready: boolean }>) {
      pings += 1;
      callback(null, { ready: fake.isReady });
    },
  });
  if (kind === 'ours') {
    server.addService(protoService('Gallery').service, {
      describe: (_call: unknown, callback: sendUnaryData<DescribeResponseMessage>) => callback(null, { ...DESCRIPTION, workers }),
      enrol: (call: { emit(event: 'error', error: object): void }) => call.emit('error', { code: status.UNIMPLEMENTED }),
      decide: (_call: unknown, callback: sendUnaryData<object>) => callback({ code: status.UNIMPLEMENTED }),
    });
  }
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, actual) =>
      error ? reject(error) : resolve(actual),
    );
  });
  fake.address = `127.0.0.1:${bound}`;
  return fake;
}
