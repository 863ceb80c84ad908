import sharp from 'sharp';
import { beforeAll, expect, test, vi } from 'vitest';
import type { Engine } from '../../src/engine/load-engine.ts';
import { demoPhoto, distance, startEngine } from './photos.ts';

// Networks run here, perhaps beside much else on a small machine.
vi.setConfig({ testTimeout: 60_000 });

let native: Engine;
let wasm: Engine;

beforeAll(async () => {
  [native, wasm] = await Promise.all([startEngine('native'), startEngine('wasm')]);
}, 60_000);

const centres = (faces: { box: { x: number; y: number; width: number; height: number } }[]) =>
  faces.map(({ box }) => [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)]);

test('finds every face of the demo photos, largest first, and none that is not there', async () => {
  const counts = [];
  for (let number = 1; number <= 6; number++) {
    const { faces, width } = await native.analyse(await demoPhoto(number));
    expect(width).toBe(1920);
    counts.push(faces.length);
    const widths = faces.map(({ box }) => box.width);
    expect(widths).toEqual(widths.toSorted((left, right) => right - left));
  }
  expect(counts).toEqual([3, 3, 3, 4, 5, 4]);
});

test('gives the same with WebAssembly as with the native library', async () => {
  expect([native.runtime, wasm.runtime]).toEqual(['onnxruntime-node', 'onnxruntime-web']);
  for (const number of [1, 5]) {
    const photo = await demoPhoto(number);
    const [one, two] = [await native.analyse(photo), await wasm.analyse(photo)];
    expect(centres(two.faces)).toEqual(centres(one.faces));
    for (const [i, face] of one.faces.entries()) {
      const other = two.faces[i]?.descriptor ?? new Float32Array();
      expect(Math.max(...face.descriptor.map((value, k) => Math.abs(value - (other[k] ?? Number.NaN))))).toBeLessThan(1e-3);
      expect(distance(face.descriptor, other)).toBeLessThan(1e-3);
    }
  }
});

test('places boxes and landmarks on the upright photo, however it was held', async () => {
  const photo = await demoPhoto(4);
  const upright = await native.analyse(photo);
  const held = await sharp(photo).rotate(90).withMetadata({ orientation: 8 }).jpeg({ quality: 95 }).toBuffer();

  const turned = await native.analyse(held);

  expect(turned).toMatchObject({ width: upright.width, height: upright.height });
  for (const [i, { box, landmarks, descriptor }] of turned.faces.entries()) {
    const same = upright.faces[i];
    expect(Math.abs(box.x - (same?.box.x ?? Number.NaN))).toBeLessThan(4);
    expect(Math.abs(box.y - (same?.box.y ?? Number.NaN))).toBeLessThan(4);
    expect(landmarks[60]).toBeGreaterThan(box.x); // the tip of the nose lies in the box
    expect(landmarks[60]).toBeLessThan(box.x + box.width);
    expect(landmarks[61]).toBeGreaterThan(box.y);
    expect(landmarks[61]).toBeLessThan(box.y + box.height);
    expect(distance(descriptor, same?.descriptor ?? new Float32Array(128))).toBeLessThan(0.15);
  }
});

test.each([
  { width: 480, within: 0.3 },
  { width: 4000, within: 0.2 },
])('knows people again on a copy $width pixels wide', async ({ width, within }) => {
  const photo = await demoPhoto(5);
  const { faces } = await native.analyse(photo);
  const copy = await native.analyse(await sharp(photo).resize(width).jpeg({ quality: 92 }).toBuffer());

  expect(copy.faces).toHaveLength(faces.length);
  for (const { descriptor } of copy.faces) {
    const distances = faces.map((face) => distance(face.descriptor, descriptor)).sort((left, right) => left - right);
    expect(distances[0]).toBeLessThan(within);
    expect(distances[1]).toBeGreaterThan(0.5);
  }
});

test('finds a crowd of small faces on a large photo', async () => {
  const photo = await demoPhoto(6);
  const { faces } = await native.analyse(photo);
  // Each person twenty times over, 30 to 60 pixels wide.
  const tiles = [];
  for (const { box } of faces) {
    const around = { left: Math.round(box.x - box.width / 2), top: Math.round(box.y - box.height / 2) };
    const cut = sharp(photo).extract({ ...around, width: Math.round(box.width * 2), height: Math.round(box.height * 2) });
    const tile = await cut.png().toBuffer();
    for (let i = 0; i < 5; i++) {
      const size = 60 + 15 * i;
      tiles.push({
        input: await sharp(tile).resize(size, size).png().toBuffer(),
        left: 40 + 360 * (tiles.length % 5),
        top: 40 + 220 * Math.floor(tiles.length / 5),
      });
    }
  }
  const crowd = await sharp({ create: { width: 1920, height: 1080, channels: 3, background: '#888' } })
    .composite(tiles)
    .jpeg({ quality: 92 })
    .toBuffer();

  const found = await native.analyse(crowd);

  expect(found.faces).toHaveLength(tiles.length);
  expect(found.faces.at(-1)?.box.width).toBeGreaterThan(24);
  expect(found.faces.at(-1)?.box.width).toBeLessThan(40);
});

test('finds nobody where there is nobody', async () => {
  const wall = await sharp({ create: { width: 900, height: 700, channels: 3, background: '#a98' } })
    .jpeg()
    .toBuffer();
  expect(await native.analyse(wall)).toMatchObject({ width: 900, height: 700, faces: [] });
});

test('looks at a photo of a single pixel', async () => {
  const dot = await sharp({ create: { width: 1, height: 1, channels: 3, background: '#a98' } })
    .png()
    .toBuffer();
  expect(await native.analyse(dot)).toMatchObject({ width: 1, height: 1, faces: [] });
});

test('tells a face that the edge cuts, and keeps its box on the photo', async () => {
  const photo = await demoPhoto(6);
  const { faces } = await native.analyse(photo);
  const [first] = faces;
  expect(first?.cutByEdge).toBe(false);
  const { box } = first as (typeof faces)[number];
  const left = Math.round(box.x + box.width / 4);
  const top = Math.round(box.y);
  const cut = await sharp(photo).extract({ left, top, width: 300, height: 300 }).png().toBuffer();

  const largest = (await native.analyse(cut)).faces.find((face) => face.box.x < 5);

  expect(largest).toMatchObject({ cutByEdge: true });
  expect(largest?.box.x).toBe(0);
});

test('measures a blurred face as less sharp', async () => {
  const photo = await demoPhoto(6);
  const sharpOnes = await native.analyse(photo);
  const blurred = await native.analyse(await sharp(photo).blur(6).jpeg().toBuffer());
  expect(blurred.faces[0]?.sharpness).toBeLessThan((sharpOnes.faces[0]?.sharpness ?? 0) / 3);
});

test('means over the mirror image where the descriptor will be kept', async () => {
  const photo = await demoPhoto(6);
  const mirrored = await sharp(photo).flop().png().toBuffer();
  const nearest = async (known: boolean) => {
    const [one, other] = [await native.analyse(photo, known), await native.analyse(mirrored, known)];
    const [face] = one.faces;
    return Math.min(...other.faces.map(({ descriptor }) => distance(face?.descriptor ?? new Float32Array(), descriptor)));
  };
  // Of a face and of its mirror image the means are the same, but for where the landmarks fall.
  expect(await nearest(true)).toBeLessThan((await nearest(false)) * 0.75);
});

test('says how long each step took', async () => {
  const { timings } = await native.analyse(await demoPhoto(1));
  expect(Object.keys(timings)).toEqual(['decode', 'detect', 'landmarks', 'descriptor', 'total']);
  const { total = 0, ...steps } = timings;
  expect(Object.values(steps).reduce((sum, ms) => sum + ms, 0)).toBeCloseTo(total, -1);
});
