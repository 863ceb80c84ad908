import { Metadata, status } from '@grpc/grpc-js';
import { BEGAN_METADATA, OUTCOME_METADATA } from '@kube-face/shared-lib/face-metadata';
import type { Failure } from '@kube-face/shared-lib/image-status';
import type { Logger } from '@kube-face/shared-lib/logger';
import { BusyError } from './admission.ts';
import { EngineError } from './engine/engine.ts';
import type { IdentifyFailure } from './identify-photo.ts';

/** How a call ends that does not end well. */
export type CallStatus = { code: status; details: string; metadata: Metadata };

/** A call that ends with this status. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly status: CallStatus;

  constructor(code: status, details: string) {
    super(details);
    this.status = { code, details, metadata: new Metadata() };
  }
}

const CODES: Record<Failure, status> = {
  missing_file: status.NOT_FOUND,
  unreadable_image: status.INVALID_ARGUMENT,
  too_large: status.INVALID_ARGUMENT,
  outside_folder: status.PERMISSION_DENIED,
  backend_unavailable: status.UNAVAILABLE,
  timeout: status.DEADLINE_EXCEEDED,
  internal: status.INTERNAL,
};

export function failureStatus({ outcome, detail, began }: Omit<IdentifyFailure, 'cause'>): CallStatus {
  const metadata = began ? beganMetadata() : new Metadata();
  metadata.set(OUTCOME_METADATA, outcome);
  return { code: CODES[outcome], details: `${outcome}: ${detail}`, metadata };
}

/** Turned away before anything was decided: ask again later, or another process. */
export const NOT_READY = failureStatus({ outcome: 'backend_unavailable', detail: 'not ready, or closing', began: false });
export const BUSY = new CallError(status.RESOURCE_EXHAUSTED, 'every worker is busy and the queue is full').status;

export function beganMetadata(): Metadata {
  const metadata = new Metadata();
  metadata.set(BEGAN_METADATA, '1');
  return metadata;
}

/** The status of a call that threw. What nobody foresaw is logged, and its words stay here. */
export function statusOf(error: unknown, log: Logger): CallStatus {
  if (error instanceof CallError) return error.status;
  if (error instanceof BusyError) return BUSY;
  if (error instanceof EngineError) {
    switch (error.code) {
      case 'busy':
        return BUSY;
      case 'closed':
        return NOT_READY;
      case 'timeout':
        return failureStatus({ outcome: 'timeout', detail: error.message, began: true });
      case 'crashed':
        return failureStatus({ outcome: 'internal', detail: error.message, began: true });
    }
  }
  log.error({ error }, 'a call failed');
  return failureStatus({ outcome: 'internal', detail: 'internal error', began: false });
}
