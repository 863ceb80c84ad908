import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { startCollector } from '../../../test/harness/collector.ts';
import { silent } from '../src/logger.ts';
import { parseTraceparent, spanOfMany, startTracing, untraced } from '../src/tracing.ts';

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

test('a step goes below the one that is under way, unless it takes up something from outside', async () => {
  const collector = await startCollector();
  const tracer = await startTracing({ service: 'test', endpoint: collector.endpoint, log: silent });
  await tracer.span('enrol', { kind: 'server' }, async () => {
    await Promise.resolve();
    const stream = tracer.begin('converse', { kind: 'client' });
    await tracer.span('work of another', { kind: 'consumer' }, () => undefined);
    stream.end('broken off');
  });
  await tracer.span('alone', {}, () => undefined);
  await tracer.close();
  collector.close();

  const named = new Map(collector.spans.map((span) => [span.name, span]));
  const enrol = named.get('enrol');
  expect(named.get('converse')).toMatchObject({ traceId: enrol?.traceId, parentSpanId: enrol?.spanId });
  expect(named.get('converse')?.status).toEqual({ code: 2, message: 'broken off' });
  for (const name of ['work of another', 'alone']) {
    expect(named.get(name)?.parentSpanId).toBeUndefined();
    expect(named.get(name)?.traceId).not.toBe(enrol?.traceId);
  }
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

test('that traces do not arrive is told, once for many', async () => {
  let refused = 0;
  const collector = createServer((request, response) => {
    request.resume();
    response.writeHead(400).end(() => {
      refused += 1;
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void collector.close());
  const told: { reason: string; msg: string }[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => told.push(JSON.parse(line)) });
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  const tracer = await startTracing({ service: 'test', endpoint, log });
  const full = Array.from({ length: 512 }); // is sent at once
  for (const batches of [1, 2, 3]) {
    await Promise.all(full.map(() => tracer.span('post', {}, () => undefined)));
    await expect.poll(() => refused, { timeout: 10_000 }).toBeGreaterThanOrEqual(batches);
  }
  await tracer.close();
  expect(told).toMatchObject([{ reason: 'Bad Request', msg: 'traces do not arrive' }]);
});

test('a collector that is away holds up the end of a process for a moment only', { timeout: 6_000 }, async () => {
  const tracer = await startTracing({ service: 'test', endpoint: 'http://127.0.0.1:1', log: silent });
  await tracer.span('post', {}, () => undefined);
  await tracer.close();
});

test('without an endpoint nothing of OpenTelemetry is loaded', async () => {
  const loaded = async (endpoint: string | undefined) => {
    const script = `
      import { registerHooks } from 'node:module';
      const seen = [];
      registerHooks({ resolve: (specifier, context, next) => (seen.push(specifier), next(specifier, context)) });
      const { startTracing } = await import(${JSON.stringify(new URL('../src/tracing.ts', import.meta.url).href)});
      await startTracing({ service: 'test', endpoint: ${JSON.stringify(endpoint)}, log: { info() {} } });
      console.log(seen.some((specifier) => specifier.startsWith('@opentelemetry')));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
    return stdout.trim();
  };
  expect([await loaded(undefined), await loaded('http://127.0.0.1:1')]).toEqual(['false', 'true']);
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

test('one piece of work is a step of every trace that waits for it, and is done once', async () => {
  const collector = await startCollector();
  const tracer = await startTracing({ service: 'test', endpoint: collector.endpoint, log: silent });
  const parent = (digit: string) => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`;
  let saved = 0;
  const save = async () => ++saved;
  expect(await spanOfMany(tracer, new Set([parent('1'), parent('2')]), 'save', {}, save)).toBe(1);
  expect(await spanOfMany(untraced, new Set(), 'save', {}, save)).toBe(2);
  const failing = spanOfMany(tracer, new Set([parent('3')]), 'save', {}, () => Promise.reject(new Error('away')));
  await expect(failing).rejects.toThrow('away');
  await tracer.close();
  collector.close();

  expect(collector.spans.map(({ traceId, status }) => [traceId[0], status.code ?? 0])).toEqual([
    ['1', 0],
    ['2', 0],
    ['3', 2],
  ]);
});
