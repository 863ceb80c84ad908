import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { MysqlConfig } from '@kube-face/shared-lib/env';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { copySample } from '../scripts/demo/sample-files.ts';
import { PROCESS_METRICS, SERVICE_METRICS } from '../scripts/service-metrics.ts';
import { type Collector, type SentSpan, startCollector } from './harness/collector.ts';
import { freshDatabase, mysqlEnv } from './harness/database.ts';
import { type Nsq, startNsq } from './harness/nsq.ts';
import { type Env, type Service, type ServiceName, startService } from './harness/service.ts';
import { tempFolder } from './harness/temp-folder.ts';

const TOKEN = `marked-${randomBytes(12).toString('hex')}`;
const UNTIL = { timeout: 30_000, interval: 100 };

let mysql: MysqlConfig;
let nsq: Nsq;
let collector: Collector;
let unknownPeople: string;
let environment: Env;
const services = new Map<ServiceName, Service>();
const one = (name: ServiceName) => services.get(name) as Service;

beforeAll(async () => {
  [mysql, nsq, collector] = [await freshDatabase(), await startNsq(), await startCollector()];
  const folder = tempFolder('photos');
  const photos = { KNOWN_PEOPLE: join(folder, 'known'), UNKNOWN_PEOPLE: join(folder, 'unknown') };
  for (const path of Object.values(photos)) mkdirSync(path);
  unknownPeople = photos.UNKNOWN_PEOPLE;
  const seen = { LOG_LEVEL: 'trace', OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint };
  const recognition = await startService('face-recognition', { ...photos, ...seen, WORKERS: '1' });
  services.set('face-recognition', recognition);
  environment = {
    ...mysqlEnv(mysql),
    ...nsq.env,
    ...photos,
    ...seen,
    GRPC_ADDRESS: recognition.env.GRPC_ADDRESS ?? '',
    API_TOKEN: TOKEN,
  };
  for (const name of ['image-processor', 'receiver', 'frontend'] as const) {
    services.set(name, await startService(name, environment));
  }
});

afterAll(async () => {
  for (const service of [...services.values()].reverse()) await service.stop();
  await nsq.stop();
  collector.close();
});

type Photo = { id: number; status: string; outcome: string | null };
const headers = { authorization: `Bearer ${TOKEN}`, accept: 'application/json' };

/** Posts a sample with this trace context, and waits for its result. */
async function post(sample: string, traceparent: string): Promise<Photo> {
  await copySample(sample, unknownPeople);
  const { url } = one('receiver');
  const response = await fetch(`${url}/image/post`, {
    method: 'POST',
    headers: { ...headers, traceparent },
    body: JSON.stringify({ path: `/unknown_people/${sample}` }),
  });
  expect(response.status).toBe(200);
  const { images } = (await response.json()) as { images: [Photo] };
  const photo = async () => (await fetch(`${url}/images/${images[0].id}`, { headers })).json() as Promise<Photo>;
  await expect.poll(async () => (await photo()).status, UNTIL).toBe('processed');
  return photo();
}

/** The lines that a service has logged about this photo. */
function linesAbout(name: ServiceName, id: number): Record<string, unknown>[] {
  const lines = one(name).output().split('\n');
  const parsed = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>);
  return parsed.filter((line) => line.id === id);
}

test('one trace follows a photo from the post to its result', async () => {
  const traceId = randomBytes(16).toString('hex');
  const clientSpan = randomBytes(8).toString('hex');
  const { id } = await post('sample1.jpg', `00-${traceId}-${clientSpan}-01`);

  const spans = () => collector.spans.filter((span) => span.traceId === traceId);
  await expect.poll(() => spans().length, UNTIL).toBeGreaterThanOrEqual(7); // each process sends its own in time
  const nameOf = (spanId: string | undefined) =>
    spanId === clientSpan ? 'the client' : spans().find((span) => span.spanId === spanId)?.name;
  const step = ({ service, name, parentSpanId }: SentSpan) => `${nameOf(parentSpanId)} → ${service.slice(10)}: ${name}`;
  expect(spans().map(step).sort()).toEqual(
    [
      'POST /image/post → receiver: publish images',
      'POST /image/post → receiver: save images',
      'POST /image/post → image-processor: process photo',
      'facerecog.Identify/Identify → face-recognition: identify photo',
      'process photo → image-processor: facerecog.Identify/Identify',
      'process photo → image-processor: write result',
      'the client → receiver: POST /image/post',
    ].sort(),
  );
  const engine = spans().find(({ name }) => name === 'identify photo');
  expect(engine?.attributes.map(({ key }) => key)).toEqual(expect.arrayContaining(['outcome', 'faces', 'total.ms', 'match.ms']));

  expect(linesAbout('receiver', id)).toEqual([expect.objectContaining({ msg: 'photo saved', traceId })]);
  const about = linesAbout('image-processor', id);
  expect(about).toContainEqual(expect.objectContaining({ msg: 'photo done', level: 'info', outcome: 'unknown' }));
  for (const line of about) expect(line.traceId).toBe(traceId);
});

test('a page is a step of its own', async () => {
  const parent = `00-${randomBytes(16).toString('hex')}-${'1'.repeat(16)}-01`;
  await fetch(`${one('frontend').url}/`, { headers: { traceparent: parent } });
  await expect
    .poll(() => collector.spans.find(({ traceId }) => parent.includes(traceId)), UNTIL)
    .toMatchObject({
      service: 'kube-face-frontend',
      name: 'GET',
      parentSpanId: '1'.repeat(16),
      attributes: expect.arrayContaining([{ key: 'http.route', value: { stringValue: '/' } }]),
    });
});

test.each([...SERVICE_METRICS])('%s serves every metric of docs/metrics.md and no other', async (name, metrics) => {
  const text = await (await fetch(`${one(name as ServiceName).metricsUrl}/metrics`)).text();
  const served = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, metric]) => metric));
  expect(served).toEqual(new Set([...metrics, ...PROCESS_METRICS].map((metric) => metric.name)));
});

test.each(['receiver', 'frontend'] as const)('%s lets a client go that never ends its request', async (name) => {
  const socket = connect(Number(new URL(one(name).url).port), '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n');
  const timer = setInterval(() => socket.write('X-A: b\r\n'), 500);
  let heard = '';
  socket.on('data', (data) => {
    heard += data.toString();
  });
  socket.on('error', () => {}); // it is closed anyway
  await new Promise((resolve) => socket.once('close', resolve));
  clearInterval(timer);
  expect(heard).toMatch(/^HTTP\/1.1 408/);
});

test.each([
  ['receiver', '/stats'],
  ['receiver', '/no/such/route'],
  ['frontend', '/'],
  ['frontend', '/no/such/page'],
] as const)('%s tells browsers what they may do with %s, and nobody what it is made of', async (name, path) => {
  const answer = await fetch(one(name).url + path, { headers });
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  expect(answer.headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
  expect(answer.headers.get('referrer-policy')).toMatch(/no-referrer|same-origin/);
  expect([answer.headers.get('x-powered-by'), answer.headers.get('server')]).toEqual([null, null]);
});

test('no secret is logged, at whatever level, or stands in a command line', async () => {
  await fetch(`${one('receiver').url}/images`, { headers: { authorization: `Bearer ${TOKEN}x` } });
  await fetch(`${one('receiver').url}/images?token=1`, { headers });
  const password = `marked-${randomBytes(12).toString('hex')}`;
  const refused = await startService('receiver', { ...environment, MYSQL_USERPASSWORD: `${mysql.user}:${password}` });
  await expect.poll(() => refused.output(), UNTIL).toMatch(/denied/i);
  const answer = await fetch(`${refused.url}/images`, { headers });
  expect(answer.status).toBe(503);
  const seen = [await answer.text()];
  const commands: string[] = [];
  for (const service of [...services.values(), refused]) {
    seen.push(service.output());
    commands.push(readFileSync(`/proc/${service.pid()}/cmdline`, 'utf8'));
  }
  await refused.stop();
  expect(seen.join('').length).toBeGreaterThan(2_000);
  for (const secret of [TOKEN, password, mysql.password]) {
    expect(seen.filter((text) => text.includes(secret))).toEqual([]);
    expect(commands.filter((text) => text.includes(secret))).toEqual([]);
  }
});
