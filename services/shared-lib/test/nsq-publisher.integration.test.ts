import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Nsq, startNsq } from '../../../test/harness/nsq.ts';
import { silent } from '../src/logger.ts';
import { createImagePublisher, type ImagePublisher } from '../src/nsq-publisher.ts';

let nsq: Nsq;
let publisher: ImagePublisher;

beforeAll(async () => {
  nsq = await startNsq();
  publisher = createImagePublisher({ address: { host: '127.0.0.1', port: nsq.ports.nsqdTcp }, log: silent });
});
afterAll(async () => {
  await publisher.close();
  await nsq.stop();
});

type Channel = { channel_name: string; depth: number };

async function channels(): Promise<Channel[]> {
  const answer = await fetch(`http://127.0.0.1:${nsq.ports.nsqdHttp}/stats?format=json&topic=images`);
  const { topics } = (await answer.json()) as { topics: { channels: Channel[] }[] };
  return topics.flatMap((topic) => topic.channels);
}
const depth = async () => (await channels()).find((channel) => channel.channel_name === 'ch')?.depth;

test('topic and channel stand before the first photo', async () => {
  await expect.poll(depth).toBe(0);
});

test('ids that were acknowledged are in the channel, each once', async () => {
  await publisher.publish([1]);
  await publisher.publish([2, 3, 4]);
  await Promise.all(Array.from({ length: 50 }, (_, i) => publisher.publish([100 + i])));
  await expect.poll(depth).toBe(54);
});

test('no ids are nothing to do', async () => {
  await expect(publisher.publish([])).resolves.toBeUndefined();
});

test('an nsqd that falls silent counts as not queued, and the next one who asks is told at once', async () => {
  const outcome = () =>
    publisher.publish([5]).then(
      () => 'acknowledged',
      (error) => error.code,
    );
  await nsq.nsqd.kill('SIGSTOP');
  await expect.poll(outcome, { timeout: 10_000 }).toBe('timeout'); // it may answer until the signal has reached its threads
  expect(await outcome()).toBe('away');
  await nsq.nsqd.kill('SIGCONT');
  await expect.poll(() => publisher.isConnected, { timeout: 10_000 }).toBe(true);
  await expect(publisher.publish([7])).resolves.toBeUndefined();
});

test('an nsqd that died is found again', async () => {
  await nsq.nsqd.kill('SIGKILL');
  await expect.poll(() => publisher.isConnected).toBe(false);
  await expect(publisher.publish([8])).rejects.toMatchObject({ code: 'away' });
  await nsq.nsqd.start();
  await expect.poll(() => publisher.isConnected, { timeout: 10_000 }).toBe(true);
  await expect(publisher.publish([9])).resolves.toBeUndefined();
});

test('one that is closed publishes no more', async () => {
  const closing = createImagePublisher({ address: { host: '127.0.0.1', port: nsq.ports.nsqdTcp }, log: silent });
  await closing.publish([10]);
  await closing.close();
  await expect(closing.publish([11])).rejects.toMatchObject({ code: 'closed' });
});
