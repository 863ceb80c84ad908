import { fileURLToPath } from 'node:url';
import {
  type ChannelCredentials,
  type ChannelOptions,
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  ServerCredentials,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { GrpcTls } from './env.ts';

// The one copy of the contract stands at the root of the repository, and at the same place in the images.
const PROTO = fileURLToPath(new URL('../../../proto/face.proto', import.meta.url));

const loaded = loadPackageDefinition(
  loadSync(PROTO, { keepCase: false, longs: Number, enums: String, defaults: true, oneofs: true }),
);

type ServiceName = 'Identify' | 'HealthCheck' | 'Gallery';

/** The client class of a service of package `facerecog`; its `.service` is the definition that a server adds. */
export function protoService(name: ServiceName): ServiceClientConstructor {
  return (loaded.facerecog as GrpcObject)[name] as ServiceClientConstructor;
}

/** Encoded photos travel in messages (at most 20 MB), and so do long lists of descriptors. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;

const CLIENT_OPTIONS: ChannelOptions = {
  // Spread calls over every pod of the headless service, and see new pods soon: the resolver is asked again when a
  // connection ends (which the server makes happen every 15 s) but not more often than this.
  'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
  'grpc.dns_min_time_between_resolutions_ms': 5_000,
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 2_000,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
};

/** Channel options of a face-recognition server; see the client's. */
export const SERVER_OPTIONS: ChannelOptions = {
  'grpc.max_connection_age_ms': 15_000,
  'grpc.max_connection_age_grace_ms': 30_000,
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
};

/** `host:port` as a target whose every address is used. */
export function grpcTarget(address: string): string {
  return address.startsWith('dns:///') ? address : `dns:///${address}`;
}

function clientCredentials(tls: GrpcTls | undefined): ChannelCredentials {
  if (!tls) return credentials.createInsecure();
  const bytes = (text: string | undefined) => (text === undefined ? null : Buffer.from(text));
  return credentials.createSsl(bytes(tls.ca), bytes(tls.own?.key), bytes(tls.own?.cert));
}

/** What a server listens with: encrypted where it has a certificate; with a `ca` as well only clients that it has signed come in. */
export function serverCredentials(tls: GrpcTls | undefined): ServerCredentials {
  if (!tls?.own) return ServerCredentials.createInsecure();
  const { cert, key } = tls.own;
  const pair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) };
  return ServerCredentials.createSsl(tls.ca === undefined ? null : Buffer.from(tls.ca), [pair], tls.ca !== undefined);
}

/** A client of one service at `address`; one channel each, opened by the first call. With `tls` the certificate must name the host. */
export function createClient(
  name: ServiceName,
  address: string,
  tls?: GrpcTls | undefined,
): InstanceType<ServiceClientConstructor> {
  const Client = protoService(name);
  return new Client(grpcTarget(address), clientCredentials(tls), CLIENT_OPTIONS);
}
