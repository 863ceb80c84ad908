import {
  Server,
  type ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import type { GrpcTls } from '@kube-face/shared-lib/env';
import type {
  DecideRequestMessage,
  DecideResponseMessage,
  DescribeResponseMessage,
  EnrolRequestMessage,
  HealthCheckResponseMessage,
  IdentifyRequestMessage,
  IdentifyResponseMessage,
} from '@kube-face/shared-lib/face-messages';
import type { Logger } from '@kube-face/shared-lib/logger';
import { protoService, SERVER_OPTIONS, serverCredentials } from '@kube-face/shared-lib/proto';
import { HealthImplementation } from 'grpc-health-check';
import { BusyError } from './admission.ts';
import type { createDecideFaces } from './decide-faces.ts';
import { EngineError } from './engine/engine.ts';
import { converse } from './enrol-conversation.ts';
import type { EnrolSession } from './enrol-photos.ts';
import { decisionMessage, identifyResponse } from './face-messages.ts';
import { beganMetadata, type CallStatus, failureStatus, refusal } from './grpc-status.ts';
import type { IdentifyPhoto, IdentifyResult } from './identify-photo.ts';

/** What the server serves, once it is there: before that every call is answered UNAVAILABLE. */
export type Recognition = {
  model: { name: string; length: number };
  threshold: number;
  identify: IdentifyPhoto;
  decide: ReturnType<typeof createDecideFaces>;
  startEnrolling: () => EnrolSession;
  describe: () => DescribeResponseMessage;
};

export type FaceServerDependencies = {
  /** Undefined until models and gallery are loaded, and again when closing. */
  recognition: () => Recognition | undefined;
  /** Undefined: not encrypted. */
  tls?: GrpcTls | undefined;
  log: Logger;
  onIdentified?: (result: IdentifyResult | 'unavailable' | 'cancelled', seconds: number) => void;
};

export type FaceServer = {
  readonly port: number;
  /** Tells those who watch `grpc.health.v1` what `recognition` says now. */
  publishHealth(): void;
  /** Refuses new calls, lets those in flight end, and cuts off what is left after the grace. */
  close(graceMs: number): Promise<void>;
};

const SERVICES = ['', 'facerecog.Identify', 'facerecog.HealthCheck', 'facerecog.Gallery'];
const NOT_READY = { outcome: 'backend_unavailable', detail: 'not ready', began: false } as const;

/** Port 0 takes a free one. */
export async function startFaceServer(
  port: number,
  { recognition, tls, log, onIdentified = () => {} }: FaceServerDependencies,
): Promise<FaceServer> {
  const server = new Server(SERVER_OPTIONS);
  const health = new HealthImplementation();

  function publishHealth(): void {
    for (const service of SERVICES) health.setStatus(service, recognition() ? 'SERVING' : 'NOT_SERVING');
  }

  /** Answers one unary call with what `answer` makes of it; a thrown status is that call's status. */
  function unary<Q, A>(answer: (call: ServerUnaryCall<Q, A>, ready: Recognition, signal: AbortSignal) => Promise<A> | A) {
    return async (call: ServerUnaryCall<Q, A>, callback: sendUnaryData<A>): Promise<void> => {
      const ready = recognition();
      if (!ready) return callback(failureStatus(NOT_READY));
      try {
        callback(null, await answer(call, ready, cancellationOf(call)));
      } catch (error) {
        callback(statusOf(error, log));
      }
    };
  }

  async function identify(
    call: ServerUnaryCall<IdentifyRequestMessage, IdentifyResponseMessage>,
    callback: sendUnaryData<IdentifyResponseMessage>,
  ) {
    const startedAt = performance.now();
    const seconds = () => (performance.now() - startedAt) / 1_000;
    const ready = recognition();
    if (!ready) {
      onIdentified('unavailable', seconds());
      return callback(failureStatus(NOT_READY));
    }
    try {
      const result = await ready.identify(call.request.imagePath, cancellationOf(call), () => call.sendMetadata(beganMetadata()));
      onIdentified(result, seconds());
      if ('identified' in result) return callback(null, identifyResponse(ready.model.name, result.identified));
      if ('busy' in result) return callback(refusal(status.RESOURCE_EXHAUSTED, 'every worker is busy and the queue is full'));
      const { cause, ...failed } = result.failed;
      if (cause) log.error({ error: cause, path: call.request.imagePath, outcome: failed.outcome }, 'photo failed');
      callback(failureStatus(failed));
    } catch (error) {
      onIdentified('cancelled', seconds());
      callback(statusOf(error, log));
    }
  }

  server.addService(protoService('Identify').service, { identify });
  server.addService(protoService('HealthCheck').service, {
    healthCheck: (_call: unknown, callback: sendUnaryData<HealthCheckResponseMessage>) =>
      callback(null, { ready: recognition() !== undefined }),
  });
  server.addService(protoService('Gallery').service, {
    enrol: (call: ServerDuplexStream<EnrolRequestMessage, object>) => {
      const ready = recognition();
      if (!ready) return call.emit('error', failureStatus(NOT_READY));
      const session = ready.startEnrolling();
      converse(call, { session, model: ready.model.name, signal: cancellationOf(call) }).then(
        () => call.end(),
        (error: unknown) => call.emit('error', statusOf(error, log)),
      );
    },
    decide: unary<DecideRequestMessage, DecideResponseMessage>(async ({ request }, ready, signal) => {
      const { name, length } = ready.model;
      if (request.model !== name) throw new CallError(refusal(status.FAILED_PRECONDITION, `the model that serves is ${name}`));
      if (request.descriptors.some((descriptor) => descriptor.length !== length * 4)) {
        throw new CallError(refusal(status.INVALID_ARGUMENT, `a descriptor has ${length} float32 numbers`));
      }
      const { descriptors, among, threshold = ready.threshold } = request;
      const { faces, galleryVersion } = await ready.decide({ descriptors, among, threshold }, signal);
      return { decisions: faces.map(decisionMessage), galleryVersion };
    }),
    describe: unary<object, DescribeResponseMessage>((_call, ready) => ready.describe()),
  });
  health.addToServer(server);
  publishHealth();

  return {
    port: await listen(server, port, serverCredentials(tls)),
    publishHealth,
    async close(graceMs) {
      publishHealth();
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        timer = setTimeout(() => {
          log.warn({ graceMs }, 'calls were cut off');
          server.forceShutdown();
          resolve();
        }, graceMs);
        server.tryShutdown(() => resolve());
      });
      clearTimeout(timer);
    },
  };
}

/** On every address of either family, or of the one that the machine has. */
async function listen(server: Server, port: number, credentials: ServerCredentials): Promise<number> {
  const bind = (address: string) =>
    new Promise<number>((resolve, reject) => {
      server.bindAsync(address, credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
    });
  try {
    return await bind(`[::]:${port}`);
  } catch {
    return await bind(`0.0.0.0:${port}`);
  }
}

/** Aborts when the client gives up, or its deadline passes. */
function cancellationOf(call: { on(event: 'cancelled', listener: () => void): unknown; cancelled: boolean }): AbortSignal {
  const controller = new AbortController();
  const abort = () => controller.abort(new CallError(refusal(status.CANCELLED, 'the call was given up')));
  if (call.cancelled) abort();
  else call.on('cancelled', abort);
  return controller.signal;
}

/** A call that ends with this status. */
class CallError extends Error {
  override readonly name = 'CallError';
  readonly status: CallStatus;

  constructor(callStatus: CallStatus) {
    super(callStatus.details);
    this.status = callStatus;
  }
}

function statusOf(error: unknown, log: Logger): CallStatus {
  if (error instanceof CallError) return error.status;
  if (error instanceof BusyError || (error instanceof EngineError && error.code === 'busy')) {
    return refusal(status.RESOURCE_EXHAUSTED, 'every worker is busy and the queue is full');
  }
  if (error instanceof EngineError && error.code === 'closed') return failureStatus({ ...NOT_READY, detail: 'closing' });
  if (error instanceof EngineError && error.code === 'timeout') {
    return failureStatus({ outcome: 'timeout', detail: error.message, began: true });
  }
  log.error({ error }, 'a call failed');
  return failureStatus({ outcome: 'internal', detail: 'internal error', began: false });
}
