import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { silent } from '../src/logger.ts';
import { parseTraceparent, startTracing } from '../src/tracing.ts';

type Sent = { name: string; traceId: string; spanId: string; parentSpanId?: string; status: { code?: number; message?: string } };

/** A collector that keeps what it is sent. */
async function startCollector() {
  const spans: Sent[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString());
    for (const resource of body.resourceSpans) for (const scope of resource.scopeSpans) spans.push(...scope.spans);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { spans, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

test('a step below another belongs to the same trace, across what only carries text', async () => {
  const collector = await startCollector();
  const tracer = await startTracing({ service: 'test', endpoint: collector.endpoint, log: silent });
  const written = await tracer.span('post', { kind: 'server' }, (span) => span.traceparent);
  await tracer.span('process', { parent: written, kind: 'consumer' }, () => undefined);
  await tracer.close();
  collector.close();

  const [post, process] = collector.spans;
  expect(post).toMatchObject({ name: 'post' });
  expect(process).toMatchObject({ name: 'process', traceId: post?.traceId, parentSpanId: post?.spanId });
});

test('a step that throws is marked, and the error goes on', async () => {
  const collector = await startCollector();
  const tracer = await startTracing({ service: 'test', endpoint: collector.endpoint, log: silent });
  const failing = tracer.span('identify', {}, () => {
    throw new Error('no workers');
  });
  await expect(failing).rejects.toThrow('no workers');
  await tracer.close();
  collector.close();

  expect(collector.spans).toMatchObject([{ name: 'identify', status: { code: 2, message: 'no workers' } }]);
});

test('without an endpoint the work runs and carries nothing', async () => {
  const tracer = await startTracing({ service: 'test', endpoint: undefined, log: silent });
  expect(await tracer.span('post', {}, (span) => [span.traceparent, 7])).toEqual([undefined, 7]);
});

test.each([
  undefined,
  '',
  'nonsense',
  `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`,
  `00-${'1'.repeat(32)}-${'0'.repeat(16)}-01`,
  `ff-${'1'.repeat(32)}-${'1'.repeat(16)}-01`,
])('no trace context: %j', (text) => {
  expect(parseTraceparent(text)).toBeUndefined();
});
