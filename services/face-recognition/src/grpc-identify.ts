import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import type { IdentifyRequestMessage, IdentifyResponseMessage } from '@kube-face/shared-lib/face-messages';
import type { Logger } from '@kube-face/shared-lib/logger';
import type { Span, StartSpan } from '@kube-face/shared-lib/tracing';
import { identifyResponse } from './face-messages.ts';
import { cancellationOf, stepOf, type UnaryHandler } from './grpc-call.ts';
import { BUSY, beganMetadata, failureStatus, NOT_READY, statusOf } from './grpc-status.ts';
import type { IdentifyResult } from './identify-photo.ts';
import type { Recognition } from './recognition.ts';

type Call = ServerUnaryCall<IdentifyRequestMessage, IdentifyResponseMessage>;

export type IdentifyCallDependencies = {
  recognition: () => Recognition | undefined;
  tracer: StartSpan;
  log: Logger;
  onIdentified: (result: IdentifyResult | 'unavailable' | 'cancelled', seconds: number) => void;
};

/** `Identify`: tells the client the moment its photo is taken up, and afterwards how it went, to the word. */
export function createIdentifyCall({
  recognition,
  tracer,
  log,
  onIdentified,
}: IdentifyCallDependencies): UnaryHandler<IdentifyRequestMessage, IdentifyResponseMessage> {
  async function answer(
    call: Call,
    callback: sendUnaryData<IdentifyResponseMessage>,
    span: Span,
  ): Promise<IdentifyResult | 'unavailable' | 'cancelled'> {
    const ready = recognition();
    if (!ready) {
      callback(NOT_READY);
      return 'unavailable';
    }
    const { imagePath: path } = call.request;
    try {
      const result = await ready.identify(path, cancellationOf(call), () => call.sendMetadata(beganMetadata()));
      if ('identified' in result) callback(null, identifyResponse(ready.model.name, result.identified));
      else if ('busy' in result) callback(BUSY);
      else {
        const { cause, ...failed } = result.failed;
        if (cause) log.error({ error: cause, path, outcome: failed.outcome, traceId: span.traceId }, 'photo failed');
        callback(failureStatus(failed));
      }
      return result;
    } catch (error) {
      callback(statusOf(error, log));
      return 'cancelled';
    }
  }

  return async (call, callback) => {
    const startedAt = performance.now();
    await tracer.span('identify photo', stepOf(call), async (span) => {
      const result = await answer(call, callback, span);
      onIdentified(result, (performance.now() - startedAt) / 1_000);
      span.setAttributes(attributesOf(result));
    });
  };
}

/** How it went, and how long each step took. */
function attributesOf(result: IdentifyResult | 'unavailable' | 'cancelled'): Record<string, string | number> {
  if (typeof result === 'string') return { outcome: result };
  if ('busy' in result) return { outcome: 'busy' };
  if ('failed' in result) return { outcome: result.failed.outcome };
  const { outcome, faces, timings } = result.identified;
  const steps = Object.entries(timings).map(([step, ms]) => [`${step}.ms`, ms]);
  return { outcome, faces: faces.length, ...Object.fromEntries(steps) };
}
