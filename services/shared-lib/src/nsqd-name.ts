import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { HostPort } from './env.ts';

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '::1', '[::1]']);

/**
 * How column `images.queued_on` names the nsqd that acknowledged an id, so that the redeemer can tell whether it still is among
 * nsqlookupd's: `hostname:port` of a sidecar (which shares its pod's host name), `address:port` of one with an address of its
 * own. Undefined where the address may mean any of several: a name that the cluster resolves.
 */
export function nsqdName({ host, port }: HostPort, ownHostname = hostname()): string | undefined {
  if (LOOPBACK.has(host)) return `${ownHostname}:${port}`;
  return isIP(host) === 0 ? undefined : `${host}:${port}`;
}
