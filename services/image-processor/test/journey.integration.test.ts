import { silent } from '@kube-face/shared-lib/logger';
import { migrate } from '@kube-face/shared-lib/migrate';
import { createDatabase, type Database, type RowDataPacket } from '@kube-face/shared-lib/mysql';
import { createImagePublisher, type ImagePublisher } from '@kube-face/shared-lib/nsq-publisher';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { freshDatabase, mysqlEnv } from '../../../test/harness/database.ts';
import { type Nsq, startNsq } from '../../../test/harness/nsq.ts';
import { type Service, startService } from '../../../test/harness/service.ts';
import { type FakeFaceServer, startFakeFaceServer } from './fake-face-server.ts';

let nsq: Nsq;
let database: Database;
let faces: FakeFaceServer;
let publisher: ImagePublisher;
let processor: Service;

beforeAll(async () => {
  nsq = await startNsq();
  const mysql = await freshDatabase();
  database = createDatabase(mysql);
  await migrate(database, silent);
  faces = await startFakeFaceServer();
  const [host = '', port] = nsq.env.PRODUCER_ADDRESS.split(':');
  publisher = createImagePublisher({ address: { host, port: Number(port) }, log: silent });
  processor = await startService('image-processor', {
    ...mysqlEnv(mysql),
    ...nsq.env,
    GRPC_ADDRESS: faces.address,
    RETRY_BASE_MS: '200',
    BREAK_MS: '300',
    LEASE_MS: '3000',
    CALL_TIMEOUT_MS: '1000',
  });
});

afterAll(async () => {
  await processor.stop();
  await publisher.close();
  faces.stop();
  await database.close();
  await nsq.stop();
});

beforeEach(() => {
  faces.answer = () => ({ imageName: 'not_found', outcome: 'no_face' });
});

async function post(path: string): Promise<number> {
  const { insertId } = await database.execute<{ insertId: number } & RowDataPacket[]>('insert into images (path) values (?)', [
    path,
  ]);
  await publisher.publish([insertId]);
  return insertId;
}

async function rowOf(id: number): Promise<RowDataPacket> {
  const [row] = await database.query<RowDataPacket[]>('select * from images where id = ?', [id]);
  return row as RowDataPacket;
}

test('a photo that is posted gets its answer', async () => {
  const id = await post('/unknown_people/a.jpg');
  await vi.waitFor(async () => expect(await rowOf(id)).toMatchObject({ status: 1, outcome: 'no_face', attempts: 1 }), 10_000);
});
