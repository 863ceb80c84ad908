import { type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import type { Logger } from '@kube-face/shared-lib/logger';
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

/** Answers a call with what `answer` makes of it, once the service is ready; what it throws becomes the call's status. */
export function unary<Q, A>(
  { recognition, log }: { recognition: () => Recognition | undefined; log: Logger },
  answer: (call: ServerUnaryCall<Q, A>, context: Context) => Promise<A> | A,
): UnaryHandler<Q, A> {
  return async (call, callback) => {
    const ready = recognition();
    if (!ready) return callback(NOT_READY);
    try {
      callback(null, await answer(call, { ready, signal: cancellationOf(call) }));
    } catch (error) {
      callback(statusOf(error, log));
    }
  };
}
