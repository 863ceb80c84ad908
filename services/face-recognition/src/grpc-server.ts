import { Server, type ServerCredentials, type ServerDuplexStream, type sendUnaryData, status } from '@grpc/grpc-js';
import type { GrpcTls } from '@kube-face/shared-lib/env';
import type {
  DecideRequestMessage,
  DecideResponseMessage,
  DescribeResponseMessage,
  EnrolRequestMessage,
  HealthCheckResponseMessage,
} from '@kube-face/shared-lib/face-messages';
import type { Logger } from '@kube-face/shared-lib/logger';
import { protoService, SERVER_OPTIONS, serverCredentials } from '@kube-face/shared-lib/proto';
import { type StartSpan, untraced } from '@kube-face/shared-lib/tracing';
import { HealthImplementation } from 'grpc-health-check';
import { converse } from './enrol-conversation.ts';
import { decisionMessage } from './face-messages.ts';
import { cancellationOf, stepOf, unary } from './grpc-call.ts';
import { createIdentifyCall, type IdentifyCallDependencies } from './grpc-identify.ts';
import { CallError, NOT_READY, statusOf } from './grpc-status.ts';
import type { Recognition } from './recognition.ts';

export type FaceServerDependencies = {
  /** Undefined until models and gallery are loaded, and again when closing: every call is answered UNAVAILABLE then. */
  recognition: () => Recognition | undefined;
  /** Undefined: not encrypted. */
  tls?: GrpcTls | undefined;
  tracer?: StartSpan;
  log: Logger;
  onIdentified?: IdentifyCallDependencies['onIdentified'];
};

export type FaceServer = {
  readonly port: number;
  /** Tells those who watch `grpc.health.v1` what `recognition` says now. */
  publishHealth(): void;
  /** Refuses new calls, lets those in flight end, and cuts off what is left after the grace. */
  close(graceMs: number): Promise<void>;
};

const SERVICES = ['', 'facerecog.Identify', 'facerecog.HealthCheck', 'facerecog.Gallery'];

/** Port 0 takes a free one. */
export async function startFaceServer(
  port: number,
  { recognition, tls, tracer = untraced, log, onIdentified = () => {} }: FaceServerDependencies,
): Promise<FaceServer> {
  const server = new Server(SERVER_OPTIONS);
  const health = new HealthImplementation();
  const context = { recognition, tracer, log };

  function publishHealth(): void {
    for (const service of SERVICES) health.setStatus(service, recognition() ? 'SERVING' : 'NOT_SERVING');
  }

  server.addService(protoService('Identify').service, {
    identify: createIdentifyCall({ recognition, tracer, log, onIdentified }),
  });
  server.addService(protoService('HealthCheck').service, {
    healthCheck: (_call: unknown, callback: sendUnaryData<HealthCheckResponseMessage>) =>
      callback(null, { ready: recognition() !== undefined }),
  });
  server.addService(protoService('Gallery').service, {
    enrol: (call: ServerDuplexStream<EnrolRequestMessage, object>) => {
      const ready = recognition();
      if (!ready) return call.emit('error', NOT_READY);
      const talk = { session: ready.startEnrolling(), model: ready.model.name, tracer, signal: cancellationOf(call) };
      tracer
        .span('enrol photos', stepOf(call), () => converse(call, talk))
        .then(
          () => call.end(),
          (error: unknown) => call.emit('error', statusOf(error, log)),
        );
    },
    decide: unary<DecideRequestMessage, DecideResponseMessage>(
      context,
      'decide faces',
      async ({ request }, { ready, signal }) => {
        const { name, length } = ready.model;
        if (request.model !== name) throw new CallError(status.FAILED_PRECONDITION, `the model that serves is ${name}`);
        if (request.descriptors.some((descriptor) => descriptor.length !== length * 4)) {
          throw new CallError(status.INVALID_ARGUMENT, `a descriptor has ${length} float32 numbers`);
        }
        const { descriptors, among, threshold = ready.threshold } = request;
        const { faces, galleryVersion } = await ready.decide({ descriptors, among, threshold }, signal);
        return { decisions: faces.map(decisionMessage), galleryVersion };
      },
    ),
    describe: unary<object, DescribeResponseMessage>(context, 'describe gallery', (_call, { ready }) => ready.describe()),
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
