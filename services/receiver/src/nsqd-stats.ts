import { setTimeout as delay } from 'node:timers/promises';
import type { HostPort } from '@kube-face/shared-lib/env';
import { IMAGES_CHANNEL, IMAGES_TOPIC } from '@kube-face/shared-lib/image-id';
import type { Logger } from '@kube-face/shared-lib/logger';
import { z } from 'zod';

export type QueueDepth = { depth: number; inFlight: number; deferred: number };

const ANSWER_MS = 1_000;
const POLL_MS = 200;

const statsSchema = z.object({
  topics: z
    .array(
      z.object({
        topic_name: z.string(),
        depth: z.number(),
        channels: z
          .array(
            z.object({
              channel_name: z.string(),
              depth: z.number(),
              in_flight_count: z.number(),
              deferred_count: z.number(),
            }),
          )
          .nullish(),
      }),
    )
    .nullish(),
});

/** What our nsqd holds of the photos' topic: waiting, given out, put off. Throws where it does not answer. */
export async function queueDepth({ host, port }: HostPort): Promise<QueueDepth> {
  const url = `http://${host}:${port}/stats?format=json&topic=${IMAGES_TOPIC}&channel=${IMAGES_CHANNEL}`;
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
  if (!response.ok) throw new Error(`nsqd answered ${response.status}`);
  const { topics } = statsSchema.parse(await response.json());
  const held = { depth: 0, inFlight: 0, deferred: 0 };
  for (const topic of topics ?? []) {
    if (topic.topic_name !== IMAGES_TOPIC) continue;
    held.depth += topic.depth; // not yet sorted into channels
    for (const channel of topic.channels ?? []) {
      if (channel.channel_name !== IMAGES_CHANNEL) continue;
      held.depth += channel.depth;
      held.inFlight += channel.in_flight_count;
      held.deferred += channel.deferred_count;
    }
  }
  return held;
}

export type DrainOptions = { depth: () => Promise<QueueDepth>; drainMs: number; log: Logger; now?: () => number };

/**
 * Waits until our nsqd, which ends with us, has handed out all that it holds, at most `drainMs`. What is left then is lost with
 * it, until the redeemer finds it missing.
 */
export async function drainQueue({ depth, drainMs, log, now = Date.now }: DrainOptions): Promise<void> {
  for (const end = now() + drainMs; now() < end; await delay(POLL_MS)) {
    try {
      const held = await depth();
      if (held.depth + held.inFlight + held.deferred === 0) return;
    } catch (error) {
      return log.warn({ reason: error instanceof Error ? error.message : error }, 'nsqd does not say what it holds');
    }
  }
  if (drainMs > 0) log.warn({ drainMs }, 'nsqd still holds photos; they are left to it');
}
