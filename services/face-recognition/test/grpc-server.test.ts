import { execFileSync } from 'node:child_process';
import { rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type {
  DecideResponseMessage,
  DescribeResponseMessage,
  EnrolResponseMessage,
  HealthCheckResponseMessage,
  IdentifyResponseMessage,
} from '@kube-face/shared-lib/face-messages';
import { silent } from '@kube-face/shared-lib/logger';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { startFaceServer } from '../src/grpc-server.ts';
import { fakeEngine, photoOf, putFile } from './fakes.ts';
import { connect, serve, UNTIL } from './serve.ts';

const anna = photoOf([1, 0, 0, 0]);
const bert = photoOf([0, 1, 0, 0]);

/** A service that knows Anna and Bert. */
async function serveTwo({ engine = fakeEngine(), ...options }: Partial<Parameters<typeof serve>[0]> = {}) {
  const served = await serve({ engine, ...options });
  await putFile(served.known, 'anna.jpg', anna);
  await putFile(served.known, 'bert.jpg', bert);
  await served.open();
  const { call } = connect('Identify', served.address);
  const identify = (imagePath: string, deadlineMs?: number) =>
    call<IdentifyResponseMessage>('identify', { imagePath }, deadlineMs);
  return { ...served, identify };
}

/** What a call that must fail says. */
async function failure(call: Promise<unknown>): Promise<ServiceError> {
  return call.then(
    () => Promise.reject(new Error('the call went well')),
    (error: ServiceError) => error,
  );
}

function outcomeOf({ metadata }: ServiceError): string {
  return metadata.get('outcome').join();
}

function beganOf({ metadata }: ServiceError): string {
  return metadata.get('began').join();
}

describe('identify', () => {
  test('answers with every face, its nearest known photos, model and version', async () => {
    const { identify, unknown } = await serveTwo();
    await putFile(unknown, 'a.jpg', photoOf([0.75, 0, 0, 0], [0, 0, 5, 0]));
    const answer = await identify('/unknown_people/a.jpg');
    expect(answer).toMatchObject({ imageName: 'anna.jpg', outcome: 'match', model: 'fake' });
    expect(answer.galleryVersion).toBeGreaterThan(0);
    expect(answer.faces).toMatchObject([
      {
        box: { x: 0, y: 2, width: 30, height: 40 },
        score: 0.75,
        imageName: 'anna.jpg',
        distance: 0.25,
        candidates: [
          { imageName: 'anna.jpg', distance: 0.25 },
          { imageName: 'bert.jpg', distance: 1.25 },
        ],
      },
      { imageName: '', candidates: [{ imageName: 'anna.jpg' }, { imageName: 'bert.jpg' }] },
    ]);
    expect(answer.faces[1]?.distance).toBeCloseTo(Math.sqrt(26), 5);
    expect(answer.faces[0]?.descriptor).toEqual(Buffer.from(Float32Array.of(0.75, 0, 0, 0).buffer));
  });

  test('says unknown and no face', async () => {
    const { identify, unknown } = await serveTwo();
    await putFile(unknown, 'stranger.jpg', photoOf([0, 0, 5, 0]));
    await putFile(unknown, 'wall.jpg', photoOf());
    expect(await identify('stranger.jpg')).toMatchObject({ imageName: 'not_found', outcome: 'unknown' });
    expect(await identify('wall.jpg')).toMatchObject({ imageName: 'not_found', outcome: 'no_face', faces: [] });
  });

  test('speaks the original’s bytes: its path in field 1, its name back in field 1', async () => {
    const { address, unknown } = await serveTwo();
    await putFile(unknown, 'a.jpg', anna);
    const client = new Client(address, credentials.createInsecure());
    onTestFinished(() => client.close());
    const same = (bytes: Buffer) => bytes;
    const request = Buffer.from([0x0a, 5, ...Buffer.from('a.jpg')]);
    const answer = await new Promise<Buffer>((resolve, reject) => {
      client.makeUnaryRequest('/facerecog.Identify/Identify', same, same, request, (error, bytes) =>
        error ? reject(error) : resolve(bytes as Buffer),
      );
    });
    expect(answer.subarray(0, 10)).toEqual(Buffer.from([0x0a, 8, ...Buffer.from('anna.jpg')]));

    const ready = await new Promise<Buffer>((resolve, reject) => {
      client.makeUnaryRequest('/facerecog.HealthCheck/HealthCheck', same, same, Buffer.alloc(0), (error, bytes) =>
        error ? reject(error) : resolve(bytes as Buffer),
      );
    });
    expect(ready).toEqual(Buffer.from([0x08, 1]));
  });

  test.each([
    ['nothing.jpg', status.NOT_FOUND, 'missing_file'],
    ['../../../../etc/passwd', status.PERMISSION_DENIED, 'outside_folder'],
    ['/etc/passwd', status.PERMISSION_DENIED, 'outside_folder'],
    ['out.jpg', status.PERMISSION_DENIED, 'outside_folder'],
    ['fifo.jpg', status.INVALID_ARGUMENT, 'unreadable_image'],
    ['', status.INVALID_ARGUMENT, 'unreadable_image'],
    ['text.jpg', status.INVALID_ARGUMENT, 'unreadable_image'],
    ['huge.jpg', status.INVALID_ARGUMENT, 'too_large'],
    ['crash.jpg', status.INTERNAL, 'internal'],
    ['timeout.jpg', status.DEADLINE_EXCEEDED, 'timeout'],
  ])('%s fails with status %i and outcome %s, and the service goes on', async (path, code, outcome) => {
    const { identify, unknown } = await serveTwo();
    await putFile(unknown, 'good.jpg', anna);
    await putFile(unknown, 'text.jpg', 'hello');
    await putFile(unknown, 'crash.jpg', '"crash"');
    await putFile(unknown, 'timeout.jpg', '"timeout"');
    await symlink('../known/anna.jpg', join(unknown, 'out.jpg'));
    execFileSync('mkfifo', [join(unknown, 'fifo.jpg')]);
    await writeFile(join(unknown, 'huge.jpg'), '');
    await truncate(join(unknown, 'huge.jpg'), 21 * 1024 * 1024);

    const error = await failure(identify(path));
    expect(error.code).toBe(code);
    expect(outcomeOf(error)).toBe(outcome);
    const engineBegan = ['text.jpg', 'crash.jpg', 'timeout.jpg'].includes(path);
    expect(beganOf(error)).toBe(engineBegan ? '1' : '');
    expect(await identify('good.jpg')).toMatchObject({ imageName: 'anna.jpg' });
  });

  test('a photo that is deleted while it waits is missing', async () => {
    const engine = fakeEngine({ workers: 1 });
    const { identify, unknown } = await serveTwo({ engine });
    for (const name of ['a.jpg', 'b.jpg', 'c.jpg']) await putFile(unknown, name, anna);
    const release = engine.hold();
    const first = [identify('a.jpg'), identify('b.jpg')];
    const failed = failure(identify('c.jpg'));
    await vi.waitUntil(() => engine.busy === 1 && engine.queued === 1, UNTIL);
    await rm(join(unknown, 'c.jpg'));
    release();
    await Promise.all(first);
    expect(outcomeOf(await failed)).toBe('missing_file');
  });

  test('a threshold of the user’s own decides', async () => {
    const { identify, unknown } = await serveTwo({ matchThreshold: 0.125 });
    await putFile(unknown, 'a.jpg', photoOf([0.75, 0, 0, 0]));
    expect(await identify('a.jpg')).toMatchObject({ imageName: 'not_found', outcome: 'unknown' });
  });
});

describe('under load', () => {
  test('refuses what neither a worker nor the queue can take, and takes it later', async () => {
    const engine = fakeEngine({ workers: 1 });
    const { identify, unknown, metrics } = await serveTwo({ engine, queueLimit: 1 });
    await putFile(unknown, 'a.jpg', anna);
    const release = engine.hold();
    const taken = [identify('a.jpg'), identify('a.jpg'), identify('a.jpg')]; // in hand, read ahead, queued
    await vi.waitFor(async () => expect(await metricValue(metrics, 'engine_queue_photos')).toBe(2), UNTIL);
    const error = await failure(identify('a.jpg'));
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
    expect([outcomeOf(error), beganOf(error)]).toEqual(['', '']);
    release();
    for (const answer of await Promise.all(taken)) expect(answer.imageName).toBe('anna.jpg');
    expect(await identify('a.jpg')).toMatchObject({ imageName: 'anna.jpg' });
  });

  test('tells at once that a photo was begun, so that a deadline that passes counts', async () => {
    const engine = fakeEngine({ workers: 1 });
    const { identify, unknown } = await serveTwo({ engine });
    await putFile(unknown, 'a.jpg', anna);
    const release = engine.hold();
    const call = identify('a.jpg', 1_000);
    expect((await call.headers).get('began')).toEqual(['1']);
    expect((await failure(call)).code).toBe(status.DEADLINE_EXCEEDED);
    await vi.waitUntil(() => engine.busy === 0, UNTIL); // whoever waits next is served
    release();
  });

  test('a photo whose client gave up is never begun', async () => {
    const engine = fakeEngine({ workers: 1 });
    const { unknown, address, identify, metrics } = await serveTwo({ engine });
    await putFile(unknown, 'a.jpg', anna);
    await putFile(unknown, 'given-up.jpg', bert);
    const { length } = engine.begun;
    const release = engine.hold();
    const first = [identify('a.jpg'), identify('a.jpg')];
    await vi.waitUntil(() => engine.busy === 1 && engine.queued === 1, UNTIL);
    const { client } = connect('Identify', address);
    const cancelled = new Promise((resolve) => {
      const method = client.identify as (request: object, done: (error: ServiceError) => void) => { cancel(): void };
      const call = method.call(client, { imagePath: 'given-up.jpg' }, resolve);
      setImmediate(() => call.cancel());
    });
    expect(await cancelled).toMatchObject({ code: status.CANCELLED });
    const late = await failure(identify('given-up.jpg', 200));
    expect(late.code).toBe(status.DEADLINE_EXCEEDED);
    await vi.waitFor(async () => expect(await metricValue(metrics, 'engine_queue_photos')).toBe(1), UNTIL);
    release();
    await Promise.all(first);
    expect(await identify('a.jpg')).toMatchObject({ imageName: 'anna.jpg' });
    expect(engine.begun.slice(length)).toEqual([anna, anna, anna]);
  });
});

describe('readiness', () => {
  test('is false until models and gallery are loaded, and calls are turned away', async () => {
    const served = await serve({ engine: fakeEngine() });
    const isReady = () => connect('HealthCheck', served.address).call<HealthCheckResponseMessage>('healthCheck', {});
    const { call } = connect('Identify', served.address);
    expect(await isReady()).toEqual({ ready: false });
    expect(await standardHealth(served.address)).toBe(2);
    const error = await failure(call('identify', { imagePath: 'a.jpg' }));
    expect([error.code, outcomeOf(error), beganOf(error)]).toEqual([status.UNAVAILABLE, 'backend_unavailable', '']);
    expect((await failure(connect('Gallery', served.address).call('describe', {}))).code).toBe(status.UNAVAILABLE);

    await served.open();
    expect(await isReady()).toEqual({ ready: true });
    expect(await standardHealth(served.address)).toBe(1);
  });

  test('closing finishes what is in flight and takes nothing new', async () => {
    const engine = fakeEngine();
    const { identify, unknown, close, address } = await serveTwo({ engine });
    await putFile(unknown, 'a.jpg', anna);
    const release = engine.hold();
    const inFlight = identify('a.jpg');
    await inFlight.headers;
    const closed = close(5_000);
    const { call } = connect('Identify', address);
    expect((await failure(call('identify', { imagePath: 'a.jpg' }, 1_000))).code).not.toBe(status.OK);
    release();
    expect(await inFlight).toMatchObject({ imageName: 'anna.jpg' });
    await closed;
  });

  test('closing cuts off what does not end within the grace', async () => {
    const engine = fakeEngine();
    const { identify, unknown, close } = await serveTwo({ engine });
    await putFile(unknown, 'a.jpg', anna);
    const release = engine.hold();
    const inFlight = identify('a.jpg', 60_000);
    await inFlight.headers;
    const failed = failure(inFlight);
    await close(50);
    expect((await failed).code).not.toBe(status.OK);
    release();
  });
});

/** What grpc.health.v1 says, as its number: 1 serving, 2 not serving. */
async function standardHealth(address: string): Promise<number> {
  const client = new Client(address, credentials.createInsecure());
  const same = (bytes: Buffer) => bytes;
  const answer = await new Promise<Buffer>((resolve, reject) => {
    client.makeUnaryRequest('/grpc.health.v1.Health/Check', same, same, Buffer.alloc(0), (error, bytes) =>
      error ? reject(error) : resolve(bytes as Buffer),
    );
  });
  client.close();
  return answer[1] as number;
}

describe('gallery', () => {
  type Step = { photo: Buffer } | { added: { imageNames: string[] } } | { removed: { imageNames: string[] } };

  /** A conversation: `say` a step and get its answer. */
  function enrol(address: string) {
    const { client } = connect('Gallery', address);
    const start = client.enrol as (
      metadata: Metadata,
      options: object,
    ) => import('@grpc/grpc-js').ClientDuplexStream<Step, EnrolResponseMessage>;
    const call = start.call(client, new Metadata(), { deadline: Date.now() + 10_000 });
    const answers = call[Symbol.asyncIterator]() as AsyncIterator<EnrolResponseMessage>;
    return {
      call,
      async say(step: Step): Promise<Record<string, unknown>> {
        call.write(step);
        const { step: _, ...answer } = (await answers.next()).value as EnrolResponseMessage;
        return answer;
      },
      end: async () => {
        call.end();
        return (await answers.next()).done;
      },
    };
  }

  test('enrols in one conversation: looks, loads, drops', async () => {
    const engine = fakeEngine();
    const { address, known, unknown, identify } = await serveTwo({ engine });
    const carl = photoOf([0, 0, 1, 0]);
    await putFile(unknown, 'a.jpg', photoOf([0, 0, 0.75, 0]));
    expect(await identify('a.jpg')).toMatchObject({ imageName: 'not_found' });

    const { say, end } = enrol(address);
    const near = await say({ photo: Buffer.from(photoOf([0.75, 0, 0, 0], [9, 9, 9, 9])) });
    expect(near).toMatchObject({
      examined: {
        error: '',
        width: 640,
        height: 480,
        model: 'fake',
        faces: [
          { face: { imageName: 'anna.jpg', distance: 0.25 }, sharpness: 12.5, cutByEdge: false },
          { face: { imageName: '' }, cutByEdge: true },
        ],
      },
    });
    expect(await say({ photo: Buffer.from('hello') })).toMatchObject({ examined: { error: 'unreadable_image', faces: [] } });
    expect(await say({ photo: Buffer.alloc(21 * 1024 * 1024) })).toMatchObject({ examined: { error: 'too_large' } });
    expect(await say({ photo: Buffer.from(carl) })).toMatchObject({
      examined: { error: '', faces: [{ face: { imageName: '' } }] },
    });

    await putFile(known, 'carl.jpg', carl);
    const loaded = await say({ added: { imageNames: ['carl.jpg', 'nobody.jpg'] } });
    expect(loaded).toMatchObject({ loaded: { missing: ['nobody.jpg'] } });
    expect(await identify('a.jpg')).toMatchObject({ imageName: 'carl.jpg' });
    expect(engine.begun.filter((text) => text === carl)).toHaveLength(1);

    await rm(join(known, 'carl.jpg'));
    const dropped = (await say({ removed: { imageNames: ['carl.jpg'] } })) as { loaded: { galleryVersion: number } };
    expect(dropped.loaded.galleryVersion).toBeGreaterThan((loaded.loaded as { galleryVersion: number }).galleryVersion);
    expect(await identify('a.jpg')).toMatchObject({ imageName: 'not_found' });
    expect(await end()).toBe(true);
  });

  test('a worker that is lost ends the conversation, not the service', async () => {
    const { address } = await serveTwo();
    const { call } = enrol(address);
    const ended = new Promise<ServiceError>((resolve) => call.on('error', resolve));
    call.write({ photo: Buffer.from('"crash"') });
    expect((await ended).code).toBe(status.INTERNAL);
    expect(await enrol(address).say({ photo: Buffer.from(anna) })).toMatchObject({ examined: { error: '' } });
  });

  test('judges stored faces anew', async () => {
    const { address } = await serveTwo();
    const { call } = connect('Gallery', address);
    const bytes = (...numbers: number[]) => Buffer.from(Float32Array.from(numbers).buffer);
    const descriptors = [bytes(0.75, 0, 0, 0), bytes(0, 0.75, 0, 0), bytes(9, 9, 9, 9)];
    const decide = (request: object) => call<DecideResponseMessage>('decide', { descriptors, model: 'fake', ...request });

    const everybody = await decide({});
    expect(everybody.decisions).toMatchObject([
      {
        decided: true,
        imageName: 'anna.jpg',
        distance: 0.25,
        candidates: [{ imageName: 'anna.jpg' }, { imageName: 'bert.jpg' }],
      },
      { decided: true, imageName: 'bert.jpg' },
      { decided: true, imageName: '' },
    ]);
    expect((await decide({ among: ['anna.jpg'] })).decisions.map(({ decided }) => decided)).toEqual([true, false, false]);
    expect((await decide({ threshold: 0.125 })).decisions.map(({ imageName }) => imageName)).toEqual(['', '', '']);
    expect((await failure(decide({ model: 'other' }))).code).toBe(status.FAILED_PRECONDITION);
    expect((await failure(decide({ descriptors: [Buffer.alloc(15)] }))).code).toBe(status.INVALID_ARGUMENT);
  });

  test('describes what it serves', async () => {
    const { address } = await serveTwo({ matchThreshold: 0.25 });
    const description = await connect('Gallery', address).call<DescribeResponseMessage>('describe', {});
    expect(description).toEqual({
      model: 'fake',
      threshold: 0.25,
      galleryVersion: expect.any(Number),
      gallerySize: 2,
      workers: 2,
      queueLimit: 8,
      engine: 'onnxruntime-web',
    });
  });
});

test('goes on with the trace of its caller', async () => {
  const spans: { name: string; parent: string | undefined; attributes: object }[] = [];
  const server = await startFaceServer(0, {
    recognition: () => undefined,
    log: silent,
    tracer: {
      async span(name, { parent }, work) {
        const span = { name, parent, attributes: {} };
        spans.push(span);
        return await work({
          traceparent: undefined,
          traceId: 't',
          setAttributes: (more) => Object.assign(span.attributes, more),
        });
      },
    },
  });
  onTestFinished(() => server.close(0));
  const { client } = connect('Identify', `127.0.0.1:${server.port}`);
  const metadata = new Metadata();
  metadata.set('traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
  await new Promise((resolve) => {
    const method = client.identify as (request: object, metadata: Metadata, done: (error: unknown) => void) => unknown;
    method.call(client, { imagePath: 'a.jpg' }, metadata, resolve);
  });
  expect(spans).toEqual([
    { name: 'identify photo', parent: metadata.get('traceparent')[0], attributes: { outcome: 'unavailable' } },
  ]);
});

/** The value of a metric with these labels among its own. */
async function metricValue(metrics: () => Promise<string>, name: string, labels = ''): Promise<number> {
  const line = (await metrics()).split('\n').find((text) => text.startsWith(`kube_face_${name}{`) && text.includes(labels));
  return Number(line?.split(' ').at(-1));
}

test('counts what it does', async () => {
  const { identify, unknown, known, metrics } = await serveTwo();
  await putFile(unknown, 'a.jpg', anna);
  await putFile(known, 'wall.jpg', photoOf());
  await identify('a.jpg');
  await failure(identify('nothing.jpg'));

  const value = (name: string, labels?: string) => metricValue(metrics, name, labels);
  await vi.waitFor(async () => expect(await value('gallery_skipped', 'reason="no_face"')).toBe(1), UNTIL);
  expect(await value('identify_seconds_count', 'outcome="match"')).toBe(1);
  expect(await value('identify_seconds_count', 'outcome="missing_file"')).toBe(1);
  expect(await value('engine_step_seconds_count', 'step="decode"')).toBe(1);
  expect(await value('gallery_size')).toBe(2);
  expect(await value('engine_info', 'runtime="onnxruntime-web",model="fake"')).toBe(1);
  expect(await value('engine_workers')).toBe(2);
});
