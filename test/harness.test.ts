import { createDatabase, type RowDataPacket } from '@kube-face/shared-lib/mysql';
import { expect, test } from 'vitest';
import { freshDatabase } from './harness/database.ts';
import { startNsq } from './harness/nsq.ts';

test('a fresh database is empty, and its account can read no other', async () => {
  const [mine, other] = [await freshDatabase(), await freshDatabase()];
  const database = createDatabase(mine);
  try {
    expect(await database.query<RowDataPacket[]>('show tables')).toEqual([]);
    await database.query('create table t (id int primary key)');
    await expect(database.query(`use ${other.database}`)).rejects.toThrow(/denied/i);
  } finally {
    await database.close();
  }
});

test('a killed nsqd comes back on its ports, and its nsqlookupd finds it again', async () => {
  const nsq = await startNsq();
  try {
    const http = `http://127.0.0.1:${nsq.ports.nsqdHttp}`;
    await nsq.nsqd.kill();
    expect(nsq.nsqd.hasEnded()).toBe(true);
    await nsq.nsqd.start();
    await fetch(`${http}/topic/create?topic=images`, { method: 'POST' });
    await expect
      .poll(async () => (await fetch(`http://${nsq.env.NSQ_LOOKUP_ADDRESS}/lookup?topic=images`)).json(), { timeout: 20_000 })
      .toMatchObject({ producers: [{ tcp_port: nsq.ports.nsqdTcp, broadcast_address: '127.0.0.1' }] });
  } finally {
    await nsq.stop();
  }
});
