import { randomBytes } from 'node:crypto';
import { type Collector, startCollector } from './collector.ts';
import { type System, startSystem } from './system.ts';

export type WatchedSystem = System & {
  collector: Collector;
  /** Headers of a client that is let in and wants JSON. */
  headers: { authorization: string; accept: string };
};

/** The four services, at their most talkative: a token is asked for, everything is logged and traced. */
export async function startWatchedSystem(): Promise<WatchedSystem> {
  const collector = await startCollector();
  const token = `marked-${randomBytes(12).toString('hex')}`;
  const env = { LOG_LEVEL: 'trace', OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, API_TOKEN: token };
  const system = await startSystem('all', { env });
  return {
    ...system,
    collector,
    headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
    async stop() {
      await system.stop();
      collector.close();
    },
  };
}
