import { type Metadata, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import type { Logger } from '@kube-face/shared-lib/logger';
import type { StartSpan } from '@kube-face/shared-lib/tracing';
import { CallError, NOT_READY, statusOf } from './grpc-status.ts';
import type { Recognition } from './recognition.ts';

export type UnaryHandler<Q, A> = (call: ServerUnaryCall<Q, A>, callback: sendUnaryData<A>) => Promise<void>;
type Context = { ready: Recognition; signal: AbortSignal };

/** Aborts when the client gives up, or its deadline passes. */
export function cancellationOf(call: { on(event: 'cancelled', listener: () => void): unknown; cancelled: boolean }): AbortSignal {
  const controller = new AbortController();
  const abort = () => controller.abort(new CallError(status.CANCELLED, 'the call was given up'));
  if (call.cancelled) abort();
  else call.on('cancelled', abort);
  return controller.signal;
}

/** How a call is a step of its caller's trace. */
export function stepOf({ metadata }: { metadata: Metadata }) {
  return { parent: metadata.get('traceparent')[0]?.toString(), kind: 'server' } as const;
}

type Server = { recognition: () => Recognition | undefined; tracer: StartSpan; log: Logger };

/**
 * Answers a call with what `answer` makes of it, once the service is ready; what it throws becomes the call's status. `step` is
 * what it is called in a trace.
 */
export function unary<Q, A>(
  { recognition, tracer, log }: Server,
  step: string,
  answer: (call: ServerUnaryCall<Q, A>, context: Context) => Promise<A> | A,
): UnaryHandler<Q, A> {
  return async (call, callback) => {
    const ready = recognition();
    if (!ready) return callback(NOT_READY);
    try {
      const work = () => answer(call, { ready, signal: cancellationOf(call) });
      callback(null, await tracer.span(step, stepOf(call), work));
    } catch (error) {
      callback(statusOf(error, log));
    }
  };
}
