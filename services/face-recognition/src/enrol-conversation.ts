import { once } from 'node:events';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { EnrolRequestMessage, ExaminedMessage, LoadedMessage } from '@kube-face/shared-lib/face-messages';
import type { StartSpan } from '@kube-face/shared-lib/tracing';
import type { EnrolSession } from './enrol-photos.ts';
import { examinedFaceMessage } from './face-messages.ts';

type Answer = { examined: ExaminedMessage } | { loaded: LoadedMessage };
type Conversation = { session: EnrolSession; model: string; tracer: StartSpan; signal: AbortSignal };

/** Answers the steps of one `Enrol` in their order, one at a time, until the client has no more. */
export async function converse(call: ServerDuplexStream<EnrolRequestMessage, object>, talk: Conversation): Promise<void> {
  // The stream is ended, or failed with a status, by whoever began this; a loop that is left must not destroy it before.
  const requests = call.iterator({ destroyOnReturn: false }) as AsyncIterable<EnrolRequestMessage>;
  try {
    for await (const request of requests) {
      const answer = await talk.tracer.span(stepName(request), {}, () => answerStep(request, talk));
      talk.signal.throwIfAborted();
      if (!call.write(answer)) await once(call, 'drain', { signal: talk.signal });
    }
  } finally {
    talk.session.end();
  }
}

function stepName(request: EnrolRequestMessage): string {
  if ('photo' in request) return 'examine photo';
  return 'added' in request ? 'take photos up' : 'forget photos';
}

async function answerStep(request: EnrolRequestMessage, { session, model, signal }: Conversation): Promise<Answer> {
  if ('photo' in request) {
    const result = await session.examine(request.photo, signal);
    if ('error' in result) return { examined: { error: result.error, width: 0, height: 0, faces: [], model } };
    const { width, height, faces } = result;
    return { examined: { error: '', width, height, faces: faces.map(examinedFaceMessage), model } };
  }
  if ('added' in request) {
    const { version, missing } = await session.added(request.added.imageNames);
    return { loaded: { galleryVersion: version, missing } };
  }
  const { version } = await session.removed('removed' in request ? request.removed.imageNames : []);
  return { loaded: { galleryVersion: version, missing: [] } };
}
