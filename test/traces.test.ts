import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { copySample, photoOf } from '../scripts/demo/sample-files.ts';
import { CHECKOUT } from '../scripts/system/state.ts';
import type { SentSpan } from './harness/collector.ts';
import type { ServiceName } from './harness/service.ts';
import { startWatchedSystem, type WatchedSystem } from './harness/watched-system.ts';

const UNTIL = { timeout: 30_000, interval: 100 }; // each process sends its spans when it has some
const CLIENT_SPAN = '1'.repeat(16);

let system: WatchedSystem;
beforeAll(async () => {
  system = await startWatchedSystem();
});
afterAll(() => system.stop());

const newTraceId = () => randomBytes(16).toString('hex');
const traceparent = (traceId: string) => `00-${traceId}-${CLIENT_SPAN}-01`;
const spansOf = (traceId: string | undefined) => system.collector.spans.filter((span) => span.traceId === traceId);

/** The steps of a trace as `step above → service: step`. */
function stepsOf(traceId: string | undefined): string[] {
  const spans = spansOf(traceId);
  const nameOf = (spanId: string | undefined) =>
    spanId === CLIENT_SPAN ? 'the client' : spans.find((span) => span.spanId === spanId)?.name;
  const step = ({ service, name, parentSpanId }: SentSpan) => `${nameOf(parentSpanId)} → ${service.slice(10)}: ${name}`;
  return spans.map(step).sort();
}

const attributesOf = (span: SentSpan | undefined) =>
  Object.fromEntries(span?.attributes.map(({ key, value }) => [key, Object.values(value)[0]]) ?? []);

type Photo = { id: number; status: string; queued: boolean };

/** Posts a sample as a step of this trace. */
async function post(sample: string, traceId: string): Promise<Photo> {
  await copySample(sample, system.unknownPeople);
  const headers = { ...system.headers, traceparent: traceparent(traceId) };
  const body = JSON.stringify({ path: `/unknown_people/${sample}` });
  const response = await fetch(`${system.service('receiver').url}/image/post`, { method: 'POST', headers, body });
  expect(response.status).toBe(200);
  return ((await response.json()) as { images: [Photo] }).images[0];
}

async function processed(id: number): Promise<void> {
  const photo = async () => (await fetch(`${system.service('receiver').url}/images/${id}`, system)).json() as Promise<Photo>;
  await expect.poll(async () => (await photo()).status, UNTIL).toBe('processed');
}

/** The lines that a service has logged about this photo. */
function linesAbout(name: ServiceName, id: number): Record<string, unknown>[] {
  const lines = system.service(name).output().split('\n');
  const parsed = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>);
  return parsed.filter((line) => line.id === id);
}

const RECOGNITION = [
  'POST /image/post → image-processor: process photo',
  'facerecog.Identify/Identify → face-recognition: identify photo',
  'process photo → image-processor: facerecog.Identify/Identify',
  'process photo → image-processor: write result',
  'the client → receiver: POST /image/post',
];

test('one trace follows a photo from the post to its result', async () => {
  const traceId = newTraceId();
  const { id } = await post('sample1.jpg', traceId);
  await processed(id);

  const steps = ['POST /image/post → receiver: publish images', 'POST /image/post → receiver: save images', ...RECOGNITION];
  await expect.poll(() => stepsOf(traceId), UNTIL).toEqual(steps.sort());
  const engine = spansOf(traceId).find(({ name }) => name === 'identify photo');
  expect(attributesOf(engine)).toMatchObject({ outcome: 'unknown', faces: expect.anything(), 'match.ms': expect.anything() });

  expect(linesAbout('receiver', id)).toEqual([expect.objectContaining({ msg: 'photo saved', traceId })]);
  const about = linesAbout('image-processor', id);
  expect(about).toContainEqual(expect.objectContaining({ msg: 'photo done', level: 'info', outcome: 'unknown' }));
  for (const line of about) expect(line.traceId).toBe(traceId);
});

test('a photo that the redeemer puts back keeps its trace, and the run has one of its own', async () => {
  await system.nsq?.nsqd.stop();
  const traceId = newTraceId();
  const photo = await post('sample2.jpg', traceId);
  expect(photo).toMatchObject({ status: 'pending', queued: false });
  await system.nsq?.nsqd.start();

  const redeemer = join(CHECKOUT, 'services/image-processor/src/redeemer.ts');
  const env = { PATH: process.env.PATH, ...system.env, REDEEM_AFTER_MS: '100' };
  const runs = () => system.collector.spans.filter(({ service }) => service === 'kube-face-redeemer');
  const putBack = async () => {
    const child = spawn(process.execPath, ['--conditions=source', redeemer], { env, stdio: 'ignore' });
    expect(await once(child, 'exit')).toEqual([0, null]);
    return attributesOf(runs().at(-1)).never_queued;
  };
  await expect.poll(putBack, UNTIL).toBe(1);
  expect(new Set(runs().map(({ name, parentSpanId }) => `${parentSpanId}: ${name}`))).toEqual(
    new Set(['undefined: put back what was left behind']),
  );
  expect(runs().filter((run) => run.traceId === traceId)).toEqual([]);

  await processed(photo.id);
  await expect.poll(() => stepsOf(traceId), UNTIL).toEqual(expect.arrayContaining(RECOGNITION));
});

test('enrolling, deciding anew and erasing are followed into face recognition', async () => {
  const form = new FormData();
  form.set('name', 'Alice');
  form.append('image', new Blob([new Uint8Array(await photoOf('Alice'))]), 'alice.jpg');
  const traceId = newTraceId();
  const { url } = system.service('receiver');
  const headers = { ...system.headers, traceparent: traceparent(traceId) };
  const enrolled = await fetch(`${url}/people`, { method: 'POST', headers, body: form });
  expect(enrolled.status).toBe(201);
  await expect
    .poll(() => stepsOf(traceId), UNTIL)
    .toEqual(
      [
        'the client → receiver: POST /people',
        'POST /people → receiver: facerecog.Gallery/Describe',
        'facerecog.Gallery/Describe → face-recognition: describe gallery',
        'POST /people → receiver: facerecog.Gallery/Enrol',
        'facerecog.Gallery/Enrol → face-recognition: enrol photos',
        'enrol photos → face-recognition: examine photo',
        'enrol photos → face-recognition: take photos up',
      ].sort(),
    );
  expect(spansOf(traceId).map(({ status }) => status.code ?? 0)).toEqual(Array(7).fill(0));

  const redecisions = () => system.collector.spans.filter(({ name }) => name === 'decide earlier faces');
  await expect
    .poll(() => stepsOf(redecisions()[0]?.traceId), UNTIL)
    .toEqual(
      [
        'undefined → receiver: decide earlier faces',
        'decide earlier faces → receiver: facerecog.Gallery/Describe',
        'facerecog.Gallery/Describe → face-recognition: describe gallery',
        'decide earlier faces → receiver: facerecog.Gallery/Decide',
        'facerecog.Gallery/Decide → face-recognition: decide faces',
      ].sort(),
    );

  const { person } = (await enrolled.json()) as { person: { id: number } };
  expect((await fetch(`${url}/people/${person.id}`, { method: 'DELETE', headers })).status).toBe(200);
  await expect
    .poll(() => system.collector.spans.flatMap(({ name, traceId: id }) => (name === 'forget photos' ? stepsOf(id) : [])), UNTIL)
    .toEqual(
      expect.arrayContaining([
        'facerecog.Gallery/Enrol → face-recognition: enrol photos',
        'enrol photos → face-recognition: forget photos',
      ]),
    );
});

test('a page is a step of its own', async () => {
  const traceId = newTraceId();
  await fetch(`${system.service('frontend').url}/`, { headers: { traceparent: traceparent(traceId) } });
  await expect.poll(() => stepsOf(traceId), UNTIL).toEqual(['the client → frontend: GET']);
  expect(attributesOf(spansOf(traceId)[0])).toMatchObject({ 'http.route': '/' });
});
