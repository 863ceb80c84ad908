import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
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
