import { type Client, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { GrpcTls } from '@kube-face/shared-lib/env';
import type {
  DescribeResponseMessage,
  HealthCheckResponseMessage,
  IdentifyResponseMessage,
} from '@kube-face/shared-lib/face-messages';
import { BEGAN_METADATA, OUTCOME_METADATA } from '@kube-face/shared-lib/face-metadata';
import { FINAL_FAILURES, type FinalFailure, PASSING_FAILURES, type PassingFailure } from '@kube-face/shared-lib/image-status';
import { createClient } from '@kube-face/shared-lib/proto';

const PING_MS = 2_000;

/** `unsupported`: the other side has no such method, which is how the original's service answers what is ours alone. */
export type FaceServiceCode = 'unavailable' | 'exhausted' | 'timeout' | 'internal' | 'cancelled' | 'unsupported';

/** A call that told nothing about the photo. `began`: the engine had taken the photo up. */
export class FaceServiceError extends Error {
  override readonly name = 'FaceServiceError';
  readonly code: FaceServiceCode;
  readonly began: boolean;

  constructor(code: FaceServiceCode, { began, ...options }: ErrorOptions & { began: boolean }) {
    super(`face recognition: ${code}${options.cause instanceof Error ? `: ${options.cause.message}` : ''}`, options);
    this.code = code;
    this.began = began;
  }
}

/** What the service said about a photo: who is on it, or that it cannot be read. */
export type PhotoAnswer =
  | ({ kind: 'recognised' } & IdentifyResponseMessage)
  | { kind: 'refused'; outcome: FinalFailure; detail: string };

export type FaceClient = {
  /** Throws FaceServiceError. `signal` ends the call early. */
  identify(path: string, options: { signal: AbortSignal; traceParent?: string | undefined }): Promise<PhotoAnswer>;
  /** Whether some process of the service says that it is ready, within two seconds. */
  isReady(): Promise<boolean>;
  /** What a process of the service says of itself. Throws FaceServiceError. */
  describe(): Promise<DescribeResponseMessage>;
  close(): void;
};

const CODES: Partial<Record<status, FaceServiceCode>> = {
  [status.UNAVAILABLE]: 'unavailable',
  [status.UNAUTHENTICATED]: 'unavailable',
  [status.UNIMPLEMENTED]: 'unsupported',
  [status.RESOURCE_EXHAUSTED]: 'exhausted',
  [status.DEADLINE_EXCEEDED]: 'timeout',
  [status.CANCELLED]: 'cancelled',
};

const FAULTS_OF_THE_PHOTO: Partial<Record<status, FinalFailure>> = {
  [status.NOT_FOUND]: 'missing_file',
  [status.INVALID_ARGUMENT]: 'unreadable_image',
  [status.PERMISSION_DENIED]: 'outside_folder',
};

const PASSING_CODES: Record<PassingFailure, FaceServiceCode> = {
  backend_unavailable: 'unavailable',
  timeout: 'timeout',
  internal: 'internal',
};

function errorOf(error: ServiceError, began: boolean): FaceServiceError {
  const word = error.metadata.get(OUTCOME_METADATA)[0];
  const passing = PASSING_FAILURES.find((one) => one === word);
  const code = passing ? PASSING_CODES[passing] : (CODES[error.code] ?? 'internal');
  return new FaceServiceError(code, { began: began || error.metadata.get(BEGAN_METADATA)[0] === '1', cause: error });
}

/** The photo's own fault, where the status says so. The original's client takes each of them as a failure. */
function refusalOf(error: ServiceError): PhotoAnswer | undefined {
  const word = error.metadata.get(OUTCOME_METADATA)[0];
  const outcome = FINAL_FAILURES.find((one) => one === word) ?? FAULTS_OF_THE_PHOTO[error.code];
  return outcome && { kind: 'refused', outcome, detail: error.details.replace(`${outcome}: `, '') };
}

type Call<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: { deadline: number },
  callback: (error: ServiceError | null, response: Response) => void,
) => { on(event: 'metadata', listener: (metadata: Metadata) => void): unknown; cancel(): void };

type CallOptions = { timeoutMs: number; waitForReady?: boolean; signal?: AbortSignal; traceParent?: string | undefined };

export type FaceClientOptions = { address: string; tls?: GrpcTls | undefined; callTimeoutMs: number };

/** Calls face recognition at `address`, each call with a deadline. */
export function createFaceClient({ address, tls, callTimeoutMs }: FaceClientOptions): FaceClient {
  const identifyClient = createClient('Identify', address, tls);
  const healthClient = createClient('HealthCheck', address, tls);
  const galleryClient = createClient('Gallery', address, tls);

  function call<Request, Response>(
    client: Client & Record<string, unknown>,
    method: string,
    request: Request,
    { timeoutMs, waitForReady = false, signal, traceParent }: CallOptions,
  ): Promise<{ response: Response } | { error: ServiceError; began: boolean }> {
    const metadata = new Metadata({ waitForReady });
    if (traceParent) metadata.set('traceparent', traceParent);
    return new Promise((resolve) => {
      let began = false;
      const onAbort = () => running.cancel();
      const invoke = (client[method] as Call<Request, Response>).bind(client);
      const running = invoke(request, metadata, { deadline: Date.now() + timeoutMs }, (error, response) => {
        signal?.removeEventListener('abort', onAbort);
        resolve(error ? { error, began } : { response });
      });
      running.on('metadata', (headers) => {
        began = headers.get(BEGAN_METADATA)[0] === '1';
      });
      if (signal?.aborted) running.cancel();
      else signal?.addEventListener('abort', onAbort);
    });
  }

  return {
    async identify(path, { signal, traceParent }) {
      const request = { imagePath: path };
      const options = { timeoutMs: callTimeoutMs, signal, traceParent };
      const answer = await call<typeof request, IdentifyResponseMessage>(identifyClient, 'Identify', request, options);
      if ('response' in answer) return { kind: 'recognised', ...answer.response };
      const refusal = refusalOf(answer.error);
      if (refusal) return refusal;
      throw errorOf(answer.error, answer.began);
    },
    async isReady() {
      // One that has just come back is waited for: the broken connections of its predecessor are not held against it.
      const options = { timeoutMs: Math.min(PING_MS, callTimeoutMs), waitForReady: true };
      const answer = await call<object, HealthCheckResponseMessage>(healthClient, 'HealthCheck', {}, options);
      return 'response' in answer && answer.response.ready;
    },
    async describe() {
      const options = { timeoutMs: Math.min(PING_MS, callTimeoutMs) };
      const answer = await call<object, DescribeResponseMessage>(galleryClient, 'Describe', {}, options);
      if ('response' in answer) return answer.response;
      throw errorOf(answer.error, answer.began);
    },
    close() {
      for (const client of [identifyClient, healthClient, galleryClient]) client.close();
    },
  };
}
