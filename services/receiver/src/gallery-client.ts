import { once } from 'node:events';
import { type ClientDuplexStream, Metadata, type MethodDefinition, type ServiceError, status } from '@grpc/grpc-js';
import type { GrpcTls } from '@kube-face/shared-lib/env';
import type {
  DecideRequestMessage,
  DecideResponseMessage,
  DescribeResponseMessage,
  EnrolRequestMessage,
  EnrolResponseMessage,
  ExaminedMessage,
  LoadedMessage,
} from '@kube-face/shared-lib/face-messages';
import { createClient, protoService } from '@kube-face/shared-lib/proto';
import { type Span, type Tracer, untraced } from '@kube-face/shared-lib/tracing';

/** Face recognition gave no answer: it is away, busy or too slow. */
export class GalleryError extends Error {
  override readonly name = 'GalleryError';
  readonly code: 'away' | 'timeout' | 'other_model';

  constructor(code: GalleryError['code'], options?: ErrorOptions) {
    super(`face recognition gave no answer: ${code}`, options);
    this.code = code;
  }
}

/** A conversation with one face-recognition process. Every step throws GalleryError where that process is gone. */
export type Conversation = {
  examine(photo: Buffer): Promise<ExaminedMessage>;
  /** Resolves once the process has these files of the folder of known people in its gallery, or tells which it has not. */
  add(imageNames: string[]): Promise<LoadedMessage>;
  remove(imageNames: string[]): Promise<LoadedMessage>;
  end(): void;
};

export type GalleryClient = {
  converse(timeoutMs: number): Conversation;
  decide(request: DecideRequestMessage): Promise<DecideResponseMessage>;
  describe(): Promise<DescribeResponseMessage>;
  close(): void;
};

type Wait = { timeoutMs: number; waitForReady: boolean };

const DECIDE: Wait = { timeoutMs: 30_000, waitForReady: false };
// Asked first: a process that has just come back is waited for, its predecessor's broken connections are not held against it.
const DESCRIBE: Wait = { timeoutMs: 2_000, waitForReady: true };

function toGalleryError(cause: unknown): GalleryError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === status.DEADLINE_EXCEEDED) return new GalleryError('timeout', { cause });
  if (code === status.FAILED_PRECONDITION) return new GalleryError('other_model', { cause });
  return new GalleryError('away', { cause });
}

function metadataOf({ traceparent }: Span, waitForReady = false): Metadata {
  const metadata = new Metadata({ waitForReady });
  if (traceparent !== undefined) metadata.set('traceparent', traceparent);
  return metadata;
}

export function createGalleryClient(
  address: string,
  tls?: GrpcTls,
  tracer: Pick<Tracer, 'span' | 'begin'> = untraced,
): GalleryClient {
  const client = createClient('Gallery', address, tls);
  const methods = protoService('Gallery').service;

  function unary<Request, Response>(
    name: 'Decide' | 'Describe',
    request: Request,
    { timeoutMs, waitForReady }: Wait,
  ): Promise<Response> {
    const { path, requestSerialize, responseDeserialize } = methods[name] as MethodDefinition<Request, Response>;
    const call = (span: Span) =>
      new Promise<Response>((resolve, reject) => {
        client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          request,
          metadataOf(span, waitForReady),
          { deadline: Date.now() + timeoutMs },
          (error: ServiceError | null, response?: Response) => {
            if (error || response === undefined) reject(toGalleryError(error));
            else resolve(response);
          },
        );
      });
    return tracer.span(`facerecog.Gallery/${name}`, { kind: 'client' }, call);
  }

  return {
    converse(timeoutMs) {
      const { path, requestSerialize, responseDeserialize } = methods.Enrol as MethodDefinition<
        EnrolRequestMessage,
        EnrolResponseMessage
      >;
      const options = { deadline: Date.now() + timeoutMs };
      const span = tracer.begin('facerecog.Gallery/Enrol', { kind: 'client' });
      const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadataOf(span), options);
      call.on('status', ({ code, details }) => span.end(code === status.OK ? undefined : details));
      return conversation(call);
    },
    decide: (request) => unary('Decide', request, DECIDE),
    describe: () => unary('Describe', {}, DESCRIBE),
    close: () => client.close(),
  };
}

function conversation(call: ClientDuplexStream<EnrolRequestMessage, EnrolResponseMessage>): Conversation {
  let failure: unknown;
  const failed = once(call, 'error').then(([error]): never => {
    failure = error;
    throw toGalleryError(error);
  });
  failed.catch(() => {}); // told to whoever asks next
  const ended = once(call, 'end').then((): never => {
    throw toGalleryError(failure);
  });
  ended.catch(() => {});

  async function ask(request: EnrolRequestMessage): Promise<EnrolResponseMessage> {
    if (failure !== undefined) throw toGalleryError(failure);
    const answer = once(call, 'data').then(([message]) => message as EnrolResponseMessage);
    answer.catch(() => {});
    call.write(request);
    try {
      return await Promise.race([answer, failed, ended]);
    } catch (error) {
      throw error instanceof GalleryError ? error : toGalleryError(error);
    }
  }

  async function askLoaded(request: EnrolRequestMessage): Promise<LoadedMessage> {
    const answer = await ask(request);
    if (answer.step !== 'loaded') throw new GalleryError('away', { cause: new Error(`answered with ${answer.step}`) });
    return answer.loaded;
  }

  return {
    async examine(photo) {
      const answer = await ask({ photo });
      if (answer.step !== 'examined') throw new GalleryError('away', { cause: new Error(`answered with ${answer.step}`) });
      return answer.examined;
    },
    add: (imageNames) => askLoaded({ added: { imageNames } }),
    remove: (imageNames) => askLoaded({ removed: { imageNames } }),
    end() {
      call.end();
    },
  };
}
