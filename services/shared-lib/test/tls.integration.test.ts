import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Client, ServiceError } from '@grpc/grpc-js';
import { Server } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { databaseStatements, mysqlPart } from '../../../scripts/parts/mysql.ts';
import { provideMysqlProgram } from '../../../scripts/parts/mysql-program.ts';
import { freePort } from '../../../scripts/parts/ports.ts';
import { type Certificates, makeCertificates } from '../../../test/harness/certificates.ts';
import { type Running, run } from '../../../test/harness/running.ts';
import { tempFolder } from '../../../test/harness/temp-folder.ts';
import { envReader, type GrpcTls } from '../src/env.ts';
import { createDatabase, isDatabaseAway, type RowDataPacket } from '../src/mysql.ts';
import { createClient, protoService, serverCredentials } from '../src/proto.ts';

let ours: Certificates;
let strangers: Certificates;
let server: Running;
let port: number;

beforeAll(async () => {
  [ours, strangers, port] = await Promise.all([makeCertificates(), makeCertificates(), freePort()]);
  const program = await provideMysqlProgram();
  if (!program) throw new Error('there is no MySQL');
  const account = { user: 'kube', password: 'secret' };
  const init = [
    ...databaseStatements('kube', account),
    "alter user 'kube'@'127.0.0.1' require ssl", // so that a connection in the clear is none
  ];
  const part = await mysqlPart({ program, folder: join(tempFolder('mysql-tls'), 'server'), port, init, quick: true });
  const tls = [`--ssl-ca=${ours.ca}`, `--ssl-cert=${ours.cert}`, `--ssl-key=${ours.key}`];
  server = await run({ ...part, args: [...part.args, ...tls] });
});
afterAll(async () => void (await server?.stop()));

function connect(host: string, ca?: string) {
  const read = envReader({
    MYSQL_CONNECTION: host,
    MYSQL_PORT: String(port),
    MYSQL_USERPASSWORD: 'kube:secret',
    MYSQL_CA: ca,
  });
  const database = createDatabase(read.mysql());
  read.done();
  onTestFinished(() => database.close());
  return database.query<RowDataPacket[]>("show session status like 'Ssl_cipher'");
}

test('with an authority MySQL is reached over TLS', async () => {
  const [status] = await connect('127.0.0.1', ours.ca);
  expect(status?.Value).toMatch(/\w{8,}/);
});

test('without one the connection is in the clear, which a careful account refuses', async () => {
  await expect(connect('127.0.0.1')).rejects.toMatchObject({ code: 'ER_ACCESS_DENIED_ERROR' });
});

test('a server that another authority has signed gets no password, however it calls itself', async () => {
  const refused = connect('127.0.0.1', strangers.ca);
  await expect(refused).rejects.toThrow(/certificate/i);
  expect(isDatabaseAway(await refused.catch((error: unknown) => error))).toBe(true); // a client is asked to come again
});

test('nor does one whose certificate names another host', async () => {
  // The same server by another name of its address, which the certificate has not.
  await expect(connect('127.1', ours.ca)).rejects.toThrow(/does not match certificate/);
});

type Ready = { ready: boolean };
const pem = (file: string) => readFileSync(file, 'utf8');
const own = ({ cert, key }: Certificates) => ({ cert: pem(cert), key: pem(key) });

async function serveGrpc(tls: GrpcTls | undefined): Promise<string> {
  const grpc = new Server();
  grpc.addService(protoService('HealthCheck').service, {
    healthCheck: (_call: unknown, callback: (error: null, answer: Ready) => void) => callback(null, { ready: true }),
  });
  const bound = await new Promise<number>((resolve, reject) =>
    grpc.bindAsync('127.0.0.1:0', serverCredentials(tls), (error, at) => (error ? reject(error) : resolve(at))),
  );
  onTestFinished(() => grpc.forceShutdown());
  return `127.0.0.1:${bound}`;
}

function ask(address: string, tls?: GrpcTls): Promise<Ready> {
  const client: Client & Record<string, unknown> = createClient('HealthCheck', address, tls);
  onTestFinished(() => client.close());
  type Method = (
    request: object,
    options: { deadline: number },
    done: (error: ServiceError | null, answer?: Ready) => void,
  ) => void;
  return new Promise((resolve, reject) =>
    (client.healthCheck as Method).call(client, {}, { deadline: Date.now() + 5_000 }, (error, answer) =>
      error || !answer ? reject(error) : resolve(answer),
    ),
  );
}

test('gRPC is encrypted where the server has a certificate, and the client knows who signed it', async () => {
  const address = await serveGrpc({ ca: undefined, own: own(ours) });
  expect(await ask(address, { ca: pem(ours.ca), own: undefined })).toEqual({ ready: true });
  await expect(ask(address)).rejects.toMatchObject({ code: 14 });
  await expect(ask(address, { ca: pem(strangers.ca), own: undefined })).rejects.toMatchObject({ code: 14 });
});

test('with an authority of its own the server lets in only clients that it has signed', async () => {
  const address = await serveGrpc({ ca: pem(ours.ca), own: own(ours) });
  expect(await ask(address, { ca: pem(ours.ca), own: own(ours) })).toEqual({ ready: true });
  await expect(ask(address, { ca: pem(ours.ca), own: undefined })).rejects.toMatchObject({ code: 14 });
  await expect(ask(address, { ca: pem(ours.ca), own: own(strangers) })).rejects.toMatchObject({ code: 14 });
});

test('nothing of a call can be read on the way', async () => {
  const address = await serveGrpc({ ca: undefined, own: own(ours) });
  const seen: Buffer[] = [];
  const spy = createServer((socket) => {
    socket.on('data', (chunk) => seen.push(chunk)).on('error', () => {});
    socket.end();
  });
  spy.listen(0, '127.0.0.1');
  await once(spy, 'listening');
  onTestFinished(() => void spy.close());
  const spied = address.replace(/\d+$/, String((spy.address() as { port: number }).port));
  await expect(ask(spied, { ca: pem(ours.ca), own: undefined })).rejects.toThrow();
  expect(Buffer.concat(seen).toString('latin1')).not.toContain('HealthCheck');
  expect(Buffer.concat(seen)[0]).toBe(0x16); // a TLS handshake
});
