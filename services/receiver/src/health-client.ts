import { Metadata, type MethodDefinition, type ServiceError } from '@grpc/grpc-js';
import type { GrpcTls } from '@kube-face/shared-lib/env';
import type { HealthCheckResponseMessage } from '@kube-face/shared-lib/face-messages';
import { createClient, protoService } from '@kube-face/shared-lib/proto';

const ANSWER_MS = 500;
const KEPT_MS = 2_000;

export type HealthClient = { isReady(): Promise<boolean>; close(): void };

/** Asks face recognition whether it takes photos, at most every two seconds; no answer means no. */
export function createHealthClient(address: string, tls?: GrpcTls, now: () => number = Date.now): HealthClient {
  const client = createClient('HealthCheck', address, tls);
  const { path, requestSerialize, responseDeserialize } = protoService('HealthCheck').service.HealthCheck as MethodDefinition<
    object,
    HealthCheckResponseMessage
  >;
  let kept: { until: number; answer: Promise<boolean> } | undefined;

  function ask(): Promise<boolean> {
    return new Promise((resolve) => {
      const options = { deadline: now() + ANSWER_MS };
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        {},
        new Metadata(),
        options,
        (error: ServiceError | null, response?: HealthCheckResponseMessage) =>
          resolve(error === null && response?.ready === true),
      );
    });
  }

  return {
    isReady() {
      if (!kept || kept.until < now()) kept = { until: now() + KEPT_MS, answer: ask() };
      return kept.answer;
    },
    close: () => client.close(),
  };
}
