import { Metadata, status } from '@grpc/grpc-js';
import { BEGAN_METADATA, OUTCOME_METADATA } from '@kube-face/shared-lib/face-metadata';
import type { Failure } from '@kube-face/shared-lib/image-status';
import type { IdentifyFailure } from './identify-photo.ts';

/** How a call ends that does not end well. */
export type CallStatus = { code: status; details: string; metadata: Metadata };

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

/** The call was turned away before anything was decided: ask again later. */
export function refusal(code: status, details: string): CallStatus {
  return { code, details, metadata: new Metadata() };
}

export function beganMetadata(): Metadata {
  const metadata = new Metadata();
  metadata.set(BEGAN_METADATA, '1');
  return metadata;
}
