import type { Span, StartSpan } from '@kube-face/shared-lib/tracing';
import type { Breaker } from './breaker.ts';
import { type FaceClient, FaceServiceError, type PhotoAnswer } from './face-client.ts';
import type { FaceService } from './face-service.ts';
import type { Photo } from './image-store.ts';
import type { Slots } from './slots.ts';

export type AskWhoDependencies = {
  identify: FaceClient['identify'];
  service: Pick<FaceService, 'known'>;
  breaker: Pick<Breaker, 'run'>;
  slots: Pick<Slots, 'acquire' | 'succeeded' | 'exhausted'>;
  /** Aborts with a ClosingError: `stopping` when no call may start any more, `cancelling` when those under way are given up. */
  stopping: AbortSignal;
  cancelling: AbortSignal;
  tracer: StartSpan;
  timed: <T>(step: string, work: () => Promise<T>) => Promise<T>;
};

/** Asks who is on a photo, as soon as a slot is free and the circuit lets the call go out. Throws what kept it from an answer. */
export function createAskWho(dependencies: AskWhoDependencies) {
  const { identify, service, breaker, slots, stopping, cancelling, tracer, timed } = dependencies;

  function call(photo: Photo, span: Span): Promise<PhotoAnswer> {
    const options = { parent: span.traceparent, kind: 'client' } as const;
    return tracer.span('facerecog.Identify/Identify', options, ({ traceparent }) =>
      identify(photo.path, { signal: cancelling, traceParent: traceparent ?? photo.traceParent }),
    );
  }

  return async function askWho(photo: Photo, span: Span): Promise<PhotoAnswer> {
    const release = await timed('wait', () => slots.acquire(stopping));
    try {
      const answer = await timed('call', () =>
        breaker.run(async () => {
          await service.known();
          return call(photo, span);
        }),
      );
      slots.succeeded();
      return answer;
    } catch (error) {
      if (error instanceof FaceServiceError && error.code === 'exhausted') slots.exhausted();
      throw error;
    } finally {
      release();
    }
  };
}
