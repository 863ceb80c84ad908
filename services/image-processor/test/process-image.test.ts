import { ImageStatus } from '@kube-face/shared-lib/image-status';
import { expect, test } from 'vitest';
import { CircuitOpenError } from '../src/breaker.ts';
import { type FaceServiceCode, FaceServiceError } from '../src/face-client.ts';
import { createProcessImage, DATABASE_AWAY_MS, PUT_BACK_MS, WAITING } from '../src/process-image.ts';
import { fakeAnswer, fakeFace, fakeProcessor, originalAnswer } from './fakes.ts';

const ID = 7;

function fault(code: FaceServiceCode, began = false): FaceServiceError {
  return new FaceServiceError(code, { began });
}

test('a photo of somebody known is processed, and its message finished', async () => {
  const { world, processImage } = fakeProcessor([fakeAnswer([fakeFace([['hannibal_1.jpg', 0.3]])])]);

  expect(await processImage(ID)).toEqual({ kind: 'finish' });

  expect(world.row).toMatchObject({ status: ImageStatus.Processed, outcome: 'match', person: 3, attempts: 1 });
});

test('a photo without a face is processed too', async () => {
  const { world, processImage } = fakeProcessor([fakeAnswer([])]);

  expect(await processImage(ID)).toEqual({ kind: 'finish' });

  expect(world.row).toMatchObject({ status: ImageStatus.Processed, outcome: 'no_face', person: -1 });
});

test.each(['missing_file', 'unreadable_image', 'too_large', 'outside_folder'] as const)('%s is final', async (outcome) => {
  const { world, processImage } = fakeProcessor([{ kind: 'refused', outcome, detail: 'why' }]);

  expect(await processImage(ID)).toEqual({ kind: 'finish' });

  expect(world.row).toMatchObject({ status: ImageStatus.Failed, outcome, detail: 'why', attempts: 1, retryMs: undefined });
});

test.each([
  ['an open circuit', new CircuitOpenError(), WAITING],
  ['an unreachable service', fault('unavailable'), WAITING],
  ['a service without the method', fault('unsupported'), WAITING],
  ['a service whose workers are all busy', fault('exhausted'), undefined],
  ['a call that the service gave up', fault('cancelled'), undefined],
  ['a deadline that passed before the engine began', fault('timeout'), WAITING],
  ['a fault before the engine began', fault('internal'), WAITING],
])('%s puts the photo back without an attempt', async (_name, error, detail) => {
  const { world, processImage } = fakeProcessor([error]);

  expect(await processImage(ID)).toEqual({ kind: 'requeue', delayMs: PUT_BACK_MS });

  expect(world.row).toEqual({ status: ImageStatus.Pending, attempts: 0, detail });
});

test('a refusal for want of workers lowers the number of calls', async () => {
  const { world, processImage } = fakeProcessor([fault('exhausted')]);

  await processImage(ID);

  expect(world.limitFelt).toBe(1);
});

test.each([
  ['timeout', 'timeout'],
  ['internal', 'internal'],
  ['unavailable', 'backend_unavailable'], // it died over the photo
] as const)('%s, once the engine had begun, is an attempt: %s', async (code, outcome) => {
  const { world, processImage } = fakeProcessor([fault(code, true)]);

  expect(await processImage(ID)).toEqual({ kind: 'requeue', delayMs: 1_000 });

  expect(world.row).toMatchObject({ status: ImageStatus.Failed, outcome, attempts: 1, retryMs: 1_000 });
});

test.each(['timeout', 'internal'] as const)(
  '%s of the original, which never tells that it began, is an attempt',
  async (code) => {
    const { world, processImage } = fakeProcessor([fault(code)], { tellsBegan: false });

    await processImage(ID);

    expect(world.row).toMatchObject({ status: ImageStatus.Failed, outcome: code, attempts: 1 });
  },
);

test('attempts back off, twice as long each time up to the ceiling, and end', async () => {
  const { world, processImage } = fakeProcessor(Array.from({ length: 4 }, () => fault('internal', true)));
  const waits: unknown[] = [];
  for (let attempt = 1; attempt <= 4; attempt += 1) waits.push(await processImage(ID));

  expect(waits).toEqual([
    { kind: 'requeue', delayMs: 1_000 },
    { kind: 'requeue', delayMs: 2_000 },
    { kind: 'requeue', delayMs: 4_000 },
    { kind: 'finish' },
  ]);
  expect(world.row).toMatchObject({ status: ImageStatus.Failed, outcome: 'internal', attempts: 4, retryMs: undefined });
  expect(await processImage(ID)).toEqual({ kind: 'finish' });
  expect(world.asked).toBe(4);
});

test('a photo that another holds is asked for again when its lease has ended', async () => {
  const { world, processImage } = fakeProcessor([], { row: { status: ImageStatus.Processing, heldMs: 12_000 } });

  expect(await processImage(ID)).toEqual({ kind: 'requeue', delayMs: 12_050 });

  expect(world.asked).toBe(0);
});

test.each([
  ['processed', ID, ImageStatus.Processed],
  ['failed for good', ID, ImageStatus.Failed],
  ['erased', 8, ImageStatus.Pending],
])('the message of a photo that is %s is finished', async (_name, id, status) => {
  const { world, processImage } = fakeProcessor([], { row: { status } });

  expect(await processImage(id)).toEqual({ kind: 'finish' });

  expect(world.asked).toBe(0);
});

test('a result is thrown away where the lease has ended, and the message comes again', async () => {
  const { world, processImage } = fakeProcessor([fakeAnswer([])]);
  world.leaseIsLost = true;

  expect(await processImage(ID)).toEqual({ kind: 'requeue', delayMs: PUT_BACK_MS });

  expect(world.row.outcome).toBeUndefined();
});

test('while the database is away the message comes again, and whoever takes photos is told', async () => {
  const { world, processImage } = fakeProcessor([fakeAnswer([])]);
  world.isDatabaseAway = true;

  expect(await processImage(ID)).toEqual({ kind: 'requeue', delayMs: DATABASE_AWAY_MS });
  expect(world.databaseAwaySeen).toBe(1);

  world.isDatabaseAway = false;
  expect(await processImage(ID)).toEqual({ kind: 'finish' });
});

test('a database that goes away after the answer costs a second look, not the photo', async () => {
  const fake = fakeProcessor([fakeAnswer([]), fakeAnswer([])]);
  const { claim, world } = fake;
  const processImage = createProcessImage({
    ...fake,
    async claim(id) {
      const claimed = await claim(id);
      world.isDatabaseAway = world.asked === 0;
      return claimed;
    },
  });

  expect(await processImage(ID)).toEqual({ kind: 'requeue', delayMs: DATABASE_AWAY_MS });
  expect(world.row).toMatchObject({ status: ImageStatus.Processing, attempts: 0 });

  world.isDatabaseAway = false;
  expect(await processImage(ID)).toEqual({ kind: 'finish' });
  expect(world.row).toMatchObject({ status: ImageStatus.Processed, attempts: 1 });
});

test('two messages about one photo share its handling', async () => {
  const { world, processImage } = fakeProcessor([fakeAnswer([])]);

  expect(await Promise.all([processImage(ID), processImage(ID)])).toEqual([{ kind: 'finish' }, { kind: 'finish' }]);

  expect(world).toMatchObject({ asked: 1, row: { attempts: 1 } });
});

test('a photo that was not yet called when the process stops goes back at once', async () => {
  const { world, processImage } = fakeProcessor([fakeAnswer([])]);
  world.close();

  expect(await processImage(ID)).toEqual({ kind: 'requeue', delayMs: 0 });

  expect(world).toMatchObject({ asked: 0, row: { status: ImageStatus.Pending, attempts: 0 } });
});

test('leases are kept for what is under way, and for nothing else', async () => {
  const { processImage } = fakeProcessor([fakeAnswer([])]);
  const done = processImage(ID);
  await Promise.resolve();
  await Promise.resolve();
  const during = [...processImage.held];
  await done;

  expect({ during, after: [...processImage.held] }).toEqual({ during: [ID], after: [] });
});

test('reads the answer of the original', async () => {
  const { world, processImage } = fakeProcessor([originalAnswer('john_1.jpg')], { tellsBegan: false });

  await processImage(ID);

  expect(world.row).toMatchObject({ status: ImageStatus.Processed, outcome: 'match', person: 5 });
});

test('an answer that nobody can read is an attempt, and does not come for ever', async () => {
  const broken = fakeAnswer([fakeFace([['hannibal_1.jpg', 0.3]])]);
  Reflect.deleteProperty(broken, 'faces');
  const { world, processImage } = fakeProcessor([broken]);

  expect(await processImage(ID)).toMatchObject({ kind: 'requeue' });

  expect(world.row).toMatchObject({ status: ImageStatus.Failed, outcome: 'internal', attempts: 1 });
});
