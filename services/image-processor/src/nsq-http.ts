import type { HostPort } from '@kube-face/shared-lib/env';
import { z } from 'zod';

const ANSWER_MS = 2_000;

const portSchema = z.number().int().min(1).max(65_535);
const nodeSchema = z.object({
  broadcast_address: z.string().min(1),
  hostname: z.string(),
  tcp_port: portSchema,
  http_port: portSchema,
});
const lookupSchema = z.object({ producers: z.array(nodeSchema) });
const channelSchema = z.object({
  channel_name: z.string(),
  depth: z.number(),
  in_flight_count: z.number(),
  deferred_count: z.number(),
});
const statsSchema = z.object({
  topics: z.array(z.object({ topic_name: z.string(), depth: z.number(), channels: z.array(channelSchema).nullish() })).nullish(),
});

/** An nsqd as nsqlookupd knows it. */
export type Nsqd = { address: string; hostname: string; tcpPort: number; httpPort: number };

async function get(url: string): Promise<Response> {
  return fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
}

function nsqdOf(node: z.infer<typeof nodeSchema>): Nsqd {
  return { address: node.broadcast_address, hostname: node.hostname, tcpPort: node.tcp_port, httpPort: node.http_port };
}

/** The nsqds that have the topic, as one nsqlookupd tells. Throws where it does not answer, or not as one. */
export async function lookupTopic({ host, port }: HostPort, topic: string): Promise<Nsqd[]> {
  const response = await get(`http://${host}:${port}/lookup?topic=${encodeURIComponent(topic)}`);
  if (response.status === 404) return []; // no nsqd has it yet
  if (!response.ok) throw new Error(`nsqlookupd answered ${response.status}`);
  return lookupSchema.parse(await response.json()).producers.map(nsqdOf);
}

/** Every nsqd that one nsqlookupd knows, whatever its topics. */
export async function listNsqds({ host, port }: HostPort): Promise<Nsqd[]> {
  const response = await get(`http://${host}:${port}/nodes`);
  if (!response.ok) throw new Error(`nsqlookupd answered ${response.status}`);
  return lookupSchema.parse(await response.json()).producers.map(nsqdOf);
}

/** Messages that an nsqd holds for the channel: waiting, given out, put off, and not yet sorted into channels. */
export async function countMessages({ address, httpPort }: Nsqd, topic: string, channel: string): Promise<number> {
  const response = await get(`http://${address}:${httpPort}/stats?format=json&topic=${topic}&channel=${channel}`);
  if (!response.ok) throw new Error(`nsqd answered ${response.status}`);
  const { topics } = statsSchema.parse(await response.json());
  let messages = 0;
  for (const one of topics ?? []) {
    if (one.topic_name !== topic) continue;
    messages += one.depth;
    for (const { channel_name, depth, in_flight_count, deferred_count } of one.channels ?? []) {
      if (channel_name === channel) messages += depth + in_flight_count + deferred_count;
    }
  }
  return messages;
}
