import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { beforeAll, expect, inject } from 'vitest';
import { startSystem } from '../harness/system.ts';
import { accessibilityFaults, browserTest, fitsInWidth } from './browser.ts';
import { addManyPhotos, addPhoto, type SeededPhoto } from './seed.ts';
import { tellStory } from './story.ts';

const story = tellStory(() => startSystem('pages'));
const NOON = new Date('2026-03-14T12:00:00.000Z'); // nine in the evening in Tokyo
const HOSTILE = '<img src=x onerror="document.title=1">.jpg';

let matched: number;
let grey: Buffer;

/** A photo with a picture, so that the browser has no reason to complain. */
function addGrey(photo: SeededPhoto): Promise<number> {
  const { database, unknownPeople } = story.system();
  writeFileSync(join(unknownPeople, photo.path), grey);
  return addPhoto(database, photo);
}

beforeAll(async () => {
  if (!inject('browser')) return;
  const { database, knownPeople, unknownPeople } = story.system();
  await addManyPhotos(database, 120, NOON);
  await database.query("insert into person (id, name) values (1, 'Hannibal'), (2, 'Murdock')");
  await database.query("insert into person_images (id, image_name, person_id) values (1, 'hannibal.jpg', 1), (2, 'gone.jpg', 2)");
  grey = await sharp({ create: { width: 400, height: 300, channels: 3, background: '#8090a0' } })
    .jpeg()
    .toBuffer();
  writeFileSync(join(knownPeople, 'hannibal.jpg'), grey);
  writeFileSync(join(knownPeople, 'gone.jpg'), grey);
  for (let number = 1; number <= 120; number += 1)
    writeFileSync(join(unknownPeople, `many-${String(number).padStart(6, '0')}.jpg`), grey);
  writeFileSync(join(unknownPeople, 'team.jpg'), grey);

  await addPhoto(database, { path: HOSTILE, status: 2, outcome: 'missing_file', attempts: 1, finished_at: NOON });
  matched = await addPhoto(database, {
    path: 'team.jpg',
    person: 1,
    status: 1,
    outcome: 'match',
    distance: 0.41,
    face_count: 1,
    attempts: 1,
    created_at: NOON,
    started_at: NOON,
    finished_at: new Date(NOON.getTime() + 400),
  });
  const candidates = [
    { person: 1, imageName: 'hannibal.jpg', distance: 0.41 },
    { person: 2, imageName: 'gone.jpg', distance: 0.77 },
  ];
  await database.query(
    `insert into faces (image, position, box, score, person, image_name, distance, candidates)
     values (?, 0, '{"x":120,"y":60,"width":90,"height":110}', 0.99, 1, 'hannibal.jpg', 0.41, ?)`,
    [matched, JSON.stringify(candidates)],
  );
  await database.query(
    "insert into attempts (image, owner, started_at, outcome, detail) values (?, 'processor-1', ?, 'timeout', 'no answer in 10 s')",
    [matched, NOON],
  );
});

const shownIds = (page: Page) => page.locator('tr[data-id]').evaluateAll((rows) => rows.map((row) => Number(row.dataset.id)));
const shownPaths = (page: Page) => page.locator('tr[data-id] td.path').allTextContents();
const range = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, index) => from - index);

browserTest('pages follow one another, forth and back', async () => {
  const page = await story.open('/');
  expect(await shownIds(page)).toEqual(range(122, 73));
  await page.getByRole('link', { name: 'Older' }).click();
  await page.waitForURL(/after=73$/);
  expect(await shownIds(page)).toEqual(range(72, 23));
  await page.getByRole('link', { name: 'Older' }).click();
  await page.waitForURL(/after=23$/);
  expect(await shownIds(page)).toEqual(range(22, 1));
  expect(await page.getByRole('link', { name: 'Older' }).count()).toBe(0);
  await page.getByRole('link', { name: 'Newer' }).click();
  await page.waitForURL(/before=22$/);
  expect(await shownIds(page)).toEqual(range(72, 23));
});

browserTest('the order is chosen, and pages keep it', async () => {
  const page = await story.open('/');
  await page.getByLabel('Order').selectOption({ label: 'By path' });
  await page.waitForURL(/sort=path$/);
  const first = await shownPaths(page);
  await page.getByRole('link', { name: 'On →' }).click();
  await page.waitForURL(/after=/);
  const both = [...first, ...(await shownPaths(page))];
  expect(new Set(both).size).toBe(100);
  expect(both).toEqual(both.toSorted());
});

browserTest('a part of a path finds its photos, and only them', async () => {
  const page = await story.open('/');
  await page.getByLabel('Path contains').fill('00004');
  await page.getByRole('button', { name: 'Show' }).click();
  await page.waitForURL(/\?q=00004$/);
  expect((await shownPaths(page)).toSorted()).toEqual([
    'many-000004.jpg',
    ...Array.from({ length: 10 }, (_, index) => `many-00004${index}.jpg`),
  ]);
});

browserTest('rows come and change while one reads, and what is read stays where it is', async () => {
  const { database } = story.system();
  const page = await story.open('/');
  await page.locator('[data-live=live]').waitFor();
  const read = page.locator('#photo-100');
  await read.evaluate((row) => row.scrollIntoView({ block: 'center' }));
  const top = () => read.evaluate((row) => Math.round(row.getBoundingClientRect().top));
  const before = await top();

  const id = await addGrey({ path: 'new.jpg' });
  await page.locator(`#photo-${id}[data-status=pending]`).waitFor({ state: 'attached' });
  expect(Math.abs((await top()) - before)).toBeLessThanOrEqual(1);
  expect(await shownIds(page)).toEqual([id, ...range(122, 73)]);

  await database.query("update images set status = 1, outcome = 'match', person = 2, distance = 0.3 where id = 100");
  await read.getByRole('link', { name: 'Murdock', exact: true }).waitFor();
  expect(Math.abs((await top()) - before)).toBeLessThanOrEqual(1);

  await database.query('delete from images where id = ?', [id]);
  await page.locator(`#photo-${id}`).waitFor({ state: 'detached' });
});

browserTest('a flood leaves no gap: the newest are shown, and the way to the others stays', async () => {
  const { database } = story.system();
  story.forgive(/status of 404/);
  const page = await story.open('/?q=flood');
  await page.locator('[data-live=live]').waitFor();
  const rows = Array.from({ length: 340 }, (_, index) => [`flood/${index}.jpg`]);
  await database.query('insert into images (path) values ?', [rows]);
  await expect.poll(() => page.locator('tr[data-id]').count(), { timeout: 20_000 }).toBe(300);
  const shown = await shownIds(page);
  await page.getByRole('link', { name: 'Older' }).click();
  await page.waitForURL(/q=flood&after=/);
  const [first = 0] = shown;
  expect([...shown, ...(await shownIds(page))]).toEqual(range(first, first - 339));
  await database.query("delete from images where path like 'flood/%'");
});

browserTest('a narrowed table takes only what belongs into it', async () => {
  const { database } = story.system();
  const page = await story.open('/?status=failed');
  await page.locator('[data-live=live]').waitFor();
  const other = await addGrey({ path: 'waits.jpg' });
  const failed = await addPhoto(database, { path: 'broken.jpg', status: 2, outcome: 'unreadable_image' });
  await page.locator(`#photo-${failed}`).waitFor();
  expect(await page.locator(`#photo-${other}`).count()).toBe(0);
  await database.query('delete from images where id in (?, ?)', [other, failed]);
});

browserTest('where no stream comes through, the page asks by itself', async () => {
  const { database } = story.system();
  story.forgive(/Failed to load resource/);
  const page = await story.open('/');
  await page.route('**/events?*', (route) => route.abort());
  await page.reload();
  await page.locator('[data-live=polling]').waitFor();
  const id = await addGrey({ path: 'polled.jpg' });
  await page.locator(`#photo-${id}`).waitFor();
  await database.query('delete from images where id = ?', [id]);
  await page.locator(`#photo-${id}`).waitFor({ state: 'detached' });
});

browserTest('times are the viewer’s', async () => {
  const page = await story.open(`/photos/${matched}`);
  const time = page.locator('.facts time').first();
  expect(await time.textContent()).toMatch(/14 Mar.*21:00:00/);
  expect(await time.getAttribute('title')).toContain('14 March 2026');
});

browserTest('a path that looks like HTML is only text', async () => {
  const page = await story.open('/?status=failed');
  expect(await page.locator('tr[data-id] td.path').allTextContents()).toContain(HOSTILE);
  expect(await page.title()).toBe('Photos · kube-face');
});

browserTest('everything can be read and narrowed without script', async () => {
  const page = await story.open('/?status=processed', { javaScriptEnabled: false });
  expect(await page.locator('td.time').first().textContent()).toMatch(/2026-03-14 12:00:00 UTC/);
  await page.getByLabel('Outcome').selectOption({ label: 'Recognised' });
  await page.getByRole('button', { name: 'Show' }).click();
  await page.locator('td.id a').first().click();
  await page.getByText('within the limit of 0.').waitFor();
  expect(await page.locator('.boxes').getByText('Hannibal').count()).toBe(1);
  await page.getByRole('link', { name: 'People' }).click();
  await page.getByText('on 1 photo').first().waitFor();
  expect(await page.getByRole('button', { name: 'Erase' }).count()).toBe(0);
});

browserTest('the keyboard reaches the content and the choice of files', async () => {
  const page = await story.open('/');
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the content');
  await page.keyboard.press('Enter');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
  const seen = new Set<string>();
  for (let presses = 0; presses < 20; presses += 1) {
    await page.keyboard.press('Tab');
    seen.add(await page.evaluate(() => document.activeElement?.getAttribute('type') ?? document.activeElement?.tagName ?? ''));
  }
  expect([...seen]).toEqual(expect.arrayContaining(['file', 'SELECT', 'search', 'A']));
});

const ADDRESSES = ['/', '/?outcome=timeout', '/people', '/people?q=nobody', '/photos/999999', '/?sort=wrong'];

browserTest.for([
  { colorScheme: 'light', width: 1280 },
  { colorScheme: 'dark', width: 1280 },
  { colorScheme: 'light', width: 360 },
  { colorScheme: 'dark', width: 360 },
] as const)('pages can be used by everybody: $colorScheme, $width pixels', async ({ colorScheme, width }) => {
  story.forgive(/status of 40[04]/);
  const page = await story.open(`/photos/${matched}`, { colorScheme, viewport: { width, height: 800 } });
  for (const address of [undefined, ...ADDRESSES]) {
    if (address) await page.goto(story.system().url + address);
    expect({ address, faults: await accessibilityFaults(page), fits: await fitsInWidth(page) }).toEqual({
      address,
      faults: [],
      fits: true,
    });
  }
});
