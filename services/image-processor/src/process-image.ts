import { backoffMs } from '@kube-face/shared-lib/backoff';
import type { Failure } from '@kube-face/shared-lib/image-status';
import type { Logger } from '@kube-face/shared-lib/logger';
import { isDatabaseAway } from '@kube-face/shared-lib/mysql';
import type { Span } from '@kube-face/shared-lib/tracing';
import { type AskWhoDependencies, createAskWho } from './ask-who.ts';
import { CircuitOpenError } from './breaker.ts';
import { FaceServiceError, type PhotoAnswer } from './face-client.ts';
import type { FaceService } from './face-service.ts';
import type { Claim, Photo, Result } from './image-store.ts';
import { type Metrics, timeSteps } from './metrics.ts';
import { knownPhotosIn, readAnswer } from './read-answer.ts';
import { createUnownedReport } from './report-unowned.ts';

/** What becomes of the message: done with, or to come again after a while. */
export type Disposition = { kind: 'finish' } | { kind: 'requeue'; delayMs: number };

/** How soon a photo that went back without an attempt is offered again; the pauses of circuit and reader come on top. */
export const PUT_BACK_MS = 1_000;

/** How soon a message comes again whose photo could not even be looked up. */
export const DATABASE_AWAY_MS = 2_000;

/** Column `detail` of a photo that went back because nobody answers. */
export const WAITING = 'waiting for recognition';

/** The process stops: whatever has not been called yet goes back. */
export class ClosingError extends Error {
  override readonly name = 'ClosingError';
}

export type Dependencies = Omit<AskWhoDependencies, 'service' | 'timed'> & {
  claim: (id: number) => Promise<Claim>;
  write: (result: Result) => Promise<boolean>;
  ownersOf: (imageNames: readonly string[]) => Promise<Map<string, { id: number; name: string }>>;
  service: Pick<FaceService, 'known' | 'threshold' | 'tellsBegan'>;
  retry: { baseMs: number; maxMs: number; maxAttempts: number };
  onDatabaseAway: () => void;
  metrics: Metrics;
  log: Logger;
};

/** A photo that is being worked on; its id and its trace's stand in every log line about it. */
type Work = Photo & { traceId: string | undefined };

export type ProcessImage = {
  (id: number): Promise<Disposition>;
  /** Photos whose leases must be renewed. */
  readonly held: ReadonlySet<number>;
};

const WRITE = { kind: 'client', attributes: { 'db.system.name': 'mysql' } } as const;
const FINISH: Disposition = { kind: 'finish' };

/**
 * Handles one message: claims the photo, asks who is on it and writes the answer. Never throws: whatever goes wrong ends in the
 * row, or the message comes again.
 */
export function createProcessImage(dependencies: Dependencies): ProcessImage {
  const { claim, write, ownersOf, identify, service, breaker, slots, retry, stopping, cancelling, tracer, metrics, log } =
    dependencies;
  const reportUnowned = createUnownedReport({ count: () => metrics.unowned.inc(), log });
  const held = new Set<number>();
  const underWay = new Map<number, Promise<Disposition>>();

  const timed = timeSteps(metrics);
  const ask = createAskWho({ identify, service, breaker, slots, stopping, cancelling, tracer, timed });

  async function resultOf(photo: Work, answer: PhotoAnswer): Promise<Result> {
    const { id } = photo;
    if (answer.kind === 'refused') {
      return { id, kind: 'failed', outcome: answer.outcome, detail: answer.detail, retryMs: undefined };
    }
    const known = knownPhotosIn(answer);
    const owners = await ownersOf(known);
    reportUnowned(known, (imageName) => owners.has(imageName));
    const reading = readAnswer(answer, (imageName) => owners.get(imageName), service.threshold);
    return { id, kind: 'processed', reading };
  }

  function attemptFailed(photo: Work, outcome: Failure, error: Error): Result {
    const attempt = photo.attempts + 1;
    const retryMs = attempt < retry.maxAttempts ? backoffMs(attempt, retry) : undefined;
    const { id, traceId } = photo;
    log.warn({ id, traceId, outcome, attempt, retryMs, error }, retryMs ? 'attempt failed' : 'attempt failed; it was the last');
    if (retryMs !== undefined) metrics.retries.inc({ outcome });
    return { id, kind: 'failed', outcome, detail: error.message, retryMs };
  }

  /** What a call that told nothing about the photo means for it. Only one that the engine began counts as an attempt. */
  function resultOfFault(photo: Work, error: unknown): Result {
    const putBack = (reason: string, detail?: string): Result => {
      metrics.putBack.inc({ reason });
      log.debug({ id: photo.id, traceId: photo.traceId, reason, error }, 'put back');
      return { id: photo.id, kind: 'put back', detail };
    };
    if (error instanceof CircuitOpenError) return putBack('circuit_open', WAITING);
    if (error instanceof ClosingError) return putBack('closing');
    if (!(error instanceof FaceServiceError)) throw error;
    const counts = error.began || !service.tellsBegan;
    switch (error.code) {
      case 'exhausted':
        return putBack('exhausted');
      case 'cancelled':
        return putBack('cancelled');
      case 'unavailable':
      case 'unsupported':
        // A photo that was taken up when the process died may be what killed it.
        return error.began ? attemptFailed(photo, 'backend_unavailable', error) : putBack('unavailable', WAITING);
      case 'timeout':
        return counts ? attemptFailed(photo, 'timeout', error) : putBack('timeout', WAITING);
      case 'internal':
        return counts ? attemptFailed(photo, 'internal', error) : putBack('unavailable', WAITING);
    }
  }

  async function work(photo: Work, span: Span): Promise<Disposition> {
    const result = await ask(photo, span)
      .then(
        (answer) => resultOf(photo, answer),
        (error) => resultOfFault(photo, error),
      )
      .catch((error) => {
        if (isDatabaseAway(error)) throw error;
        return attemptFailed(photo, 'internal', asError(error));
      });
    const isWritten = await timed('write', () =>
      tracer.span('write result', { parent: span.traceparent, ...WRITE }, () => writeOrFail(photo, result)),
    );
    if (!isWritten) {
      metrics.leasesLost.inc();
      log.warn({ id: photo.id, traceId: photo.traceId }, 'the lease has ended: result thrown away');
      return { kind: 'requeue', delayMs: PUT_BACK_MS };
    }
    return dispositionOf(photo, result);
  }

  // A result that the database refuses for what it holds is an attempt that failed; any other way it would come for ever.
  async function writeOrFail(photo: Work, result: Result): Promise<boolean> {
    try {
      return await write(result);
    } catch (error) {
      if (isDatabaseAway(error)) throw error;
      return await write(attemptFailed(photo, 'internal', asError(error)));
    }
  }

  function dispositionOf({ id, traceId }: Work, result: Result): Disposition {
    if (result.kind === 'put back') return { kind: 'requeue', delayMs: stopping.aborted ? 0 : PUT_BACK_MS };
    const outcome = result.kind === 'processed' ? result.reading.outcome : result.outcome;
    metrics.photos.inc({ outcome });
    if (result.kind === 'failed' && result.retryMs !== undefined) return { kind: 'requeue', delayMs: result.retryMs };
    log.info({ id, traceId, outcome }, 'photo done');
    return FINISH;
  }

  async function handle(id: number): Promise<Disposition> {
    try {
      const claimed = await timed('claim', () => claim(id));
      if (claimed.kind === 'won') {
        held.add(id);
        const { photo } = claimed;
        const options = { parent: photo.traceParent, kind: 'consumer', attributes: { 'image.id': id } } as const;
        return await tracer.span('process photo', options, (span) => work({ ...photo, traceId: span.traceId }, span));
      }
      metrics.claimsLost.inc({ found: claimed.kind });
      log.debug({ id, found: claimed.kind }, 'not claimed');
      return claimed.kind === 'settled' ? FINISH : { kind: 'requeue', delayMs: claimed.waitMs + 50 };
    } catch (error) {
      if (isDatabaseAway(error)) dependencies.onDatabaseAway();
      log.error({ id, error }, 'image handed back to the queue');
      return { kind: 'requeue', delayMs: DATABASE_AWAY_MS };
    } finally {
      held.delete(id);
    }
  }

  // Two messages about one photo share its handling: within a process there is nothing to win.
  function processImage(id: number): Promise<Disposition> {
    const current = underWay.get(id) ?? handle(id).finally(() => underWay.delete(id));
    underWay.set(id, current);
    return current;
  }

  return Object.assign(processImage, { held });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
