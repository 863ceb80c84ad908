import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ServiceError } from '@grpc/grpc-js';
import type { DescribeResponseMessage, IdentifyResponseMessage } from '@kube-face/shared-lib/face-messages';
import { silent } from '@kube-face/shared-lib/logger';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEnginePool, type EnginePool } from '../src/engine/engine.ts';
import { putFile } from './fakes.ts';
import { connect, serve } from './serve.ts';

// Six photos with three faces each, that come with the package of the models.
const DEMO = fileURLToPath(new URL('../node_modules/@vladmandic/face-api/demo/', import.meta.url));
const photo = (number: number) => readFile(join(DEMO, `sample${number}.jpg`));

let engine: EnginePool;

beforeAll(async () => {
  const modelsDir = fileURLToPath(new URL('../models', import.meta.url));
  engine = await createEnginePool({ workers: 1, queueLimit: 16, modelsDir, log: silent });
}, 60_000);

afterAll(() => engine.close());

/** The face of that rank on a photo, cut out with some of what is around it. */
async function faceOf(bytes: Buffer, rank: number): Promise<Buffer> {
  const { faces, width, height } = await engine.analyse(Uint8Array.from(bytes));
  const { box } = faces[rank] as (typeof faces)[number];
  const left = Math.max(0, Math.round(box.x - box.width / 2));
  const top = Math.max(0, Math.round(box.y - box.height / 2));
  return await sharp(bytes)
    .extract({
      left,
      top,
      width: Math.min(width - left, Math.round(box.width * 2)),
      height: Math.min(height - top, Math.round(box.height * 2)),
    })
    .jpeg()
    .toBuffer();
}

test('recognises a person on other renderings of a photo, and nobody on photos of others', { timeout: 90_000 }, async () => {
  const { known, unknown, address, open } = await serve({ engine });
  const first = await photo(1);
  await putFile(known, 'first.jpg', await faceOf(first, 0));
  await putFile(unknown, 'same.jpg', first);
  await putFile(unknown, 'smaller.webp', await sharp(first).resize(700).webp().toBuffer());
  await putFile(unknown, 'grey.png', await sharp(first).resize(900).greyscale().png().toBuffer());
  await putFile(unknown, 'others.jpg', await photo(2));
  await open();

  const { call } = connect('Identify', address);
  const identify = (imagePath: string) => call<IdentifyResponseMessage>('identify', { imagePath }, 20_000);
  for (const name of ['same.jpg', 'smaller.webp', 'grey.png']) {
    const answer = await identify(name);
    expect(answer).toMatchObject({ imageName: 'first.jpg', outcome: 'match' });
    expect(answer.faces.filter(({ imageName }) => imageName === 'first.jpg')).toHaveLength(1);
  }
  const others = await identify('others.jpg');
  expect(others).toMatchObject({ imageName: 'not_found', outcome: 'unknown' });
  expect(others.faces).toHaveLength(3);

  const { model, threshold, gallerySize } = await connect('Gallery', address).call<DescribeResponseMessage>('describe', {});
  expect({ model, gallerySize }).toEqual({ model: engine.model.name, gallerySize: 1 });
  expect(threshold).toBeCloseTo(engine.model.threshold, 6);
});

test.each([
  ['text.jpg', Buffer.from('this is no photo'), 'unreadable_image'],
  ['truncated.jpg', undefined, 'unreadable_image'],
])('%s is refused with its cause', async (name, content, outcome) => {
  const { unknown, address, open } = await serve({ engine });
  await putFile(unknown, name, content ?? (await photo(1)).subarray(0, 400));
  await open();
  const error = await connect('Identify', address)
    .call('identify', { imagePath: name }, 20_000)
    .then(
      () => undefined,
      (cause: ServiceError) => cause,
    );
  expect(error?.metadata.get('outcome')).toEqual([outcome]);
});
