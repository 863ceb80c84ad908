import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject } from 'vitest';
import { photoOf, sampleFile } from '../../scripts/demo/sample-files.ts';
import { type System, startSystem } from '../harness/system.ts';
import { accessibilityFaults, browserTest, dropFiles, launchBrowser, openPage, type Watched } from './browser.ts';

// One story in order: what one test does is there in the next.

let system: System;
let browser: Browser | undefined;
let page: Page;
let faults: Watched['faults'];

const RECOGNISED = { timeout: 30_000 };

beforeAll(async () => {
  if (!inject('browser')) return;
  browser = await launchBrowser();
  system = await startSystem('all');
});

afterAll(async () => {
  await browser?.close();
  await system?.stop();
});

beforeEach(async () => {
  if (browser) ({ page, faults } = await openPage(browser));
});

afterEach(async () => {
  if (!browser) return;
  await page.context().close();
  expect(faults).toEqual([]);
});

const rowOf = (path: string) => page.locator('tr[data-id]', { hasText: path });

browserTest('an empty table says what to do', async () => {
  await page.goto(system.url);
  await page.getByText('No photos yet.').waitFor();
  await page.locator('[data-live=live]').waitFor();
  expect(await accessibilityFaults(page)).toEqual([]);
});

browserTest('a person is enrolled by drag and drop, with a verdict on each photo', async () => {
  await page.goto(`${system.url}/people`);
  await page.getByText('Nobody is known yet.').waitFor();
  const grey = await sharp({ create: { width: 400, height: 400, channels: 3, background: '#888' } })
    .png()
    .toBuffer();

  await page.getByLabel('Name', { exact: true }).fill('Alice');
  await dropFiles(page, '[data-enrol] [data-drop]', [
    { name: 'alice.jpg', type: 'image/jpeg', bytes: await photoOf('Alice') },
    { name: 'wall.png', type: 'image/png', bytes: grey },
    { name: 'notes.txt', type: 'text/plain', bytes: Buffer.from('no photo') },
  ]);

  const verdictOf = (file: string) => page.locator('[data-uploads] li', { hasText: file }).locator('.verdict');
  await verdictOf('alice.jpg').getByText('Enrolled: Alice is known by this photo now.').waitFor(RECOGNISED);
  await verdictOf('wall.png')
    .getByText(/^Not taken: .*face/i)
    .waitFor(RECOGNISED);
  await verdictOf('notes.txt').getByText('Only JPEG, PNG and WebP photos can be read.').waitFor();
  await page.locator('.card', { hasText: 'Alice' }).getByText('1 known photo', { exact: false }).waitFor();
  expect(await accessibilityFaults(page)).toEqual([]);
  faults.splice(0, faults.length, ...faults.filter((fault) => !fault.includes('422'))); // the browser notes the refusal
});

browserTest('a photo dropped onto the page gets its name in the table, without a reload', async () => {
  await page.goto(system.url);
  await page.locator('[data-live=live]').waitFor();
  await page.evaluate(() => document.body.setAttribute('data-same-page', ''));

  await dropFiles(page, 'h1', [
    { name: 'sample3.jpg', type: 'image/jpeg', bytes: readFileSync(sampleFile('sample3.jpg')) },
    { name: 'sample2.jpg', type: 'image/jpeg', bytes: readFileSync(sampleFile('sample2.jpg')) },
  ]);

  await page.locator('tr[data-status=processed]', { hasText: 'Alice' }).waitFor(RECOGNISED);
  await page.locator('tr[data-outcome=unknown]').waitFor(RECOGNISED);
  await page.locator('[data-uploads] li.good', { hasText: 'sample3.jpg' }).getByText('Alice').waitFor();
  await page.locator('[data-summary]').getByText('1 recognised').waitFor(RECOGNISED);
  expect(await page.locator('body[data-same-page]').count()).toBe(1);
  expect(await accessibilityFaults(page)).toEqual([]);
});

browserTest('a photo that was posted before is told apart', async () => {
  await page.goto(system.url);
  await dropFiles(page, '[data-upload]', [
    { name: 'again.jpg', type: 'image/jpeg', bytes: readFileSync(sampleFile('sample3.jpg')) },
  ]);
  await page.locator('[data-uploads] li', { hasText: 'again.jpg' }).getByText('Posted before').waitFor();
});

browserTest('the page of a photo shows why it got its name, and takes a correction', async () => {
  await page.goto(system.url);
  await page.locator('tr[data-id]', { hasText: 'Alice' }).locator('td.id a').click();
  await page.getByRole('heading', { level: 2, name: /faces$/ }).waitFor();
  await page.locator('.boxes').getByText('Alice').waitFor();
  const face = page.locator('.face', { has: page.getByRole('heading', { name: /Alice/ }) });
  expect(await face.locator('.why').textContent()).toMatch(
    /The nearest known photo, of Alice, is 0\.\d+ away\. That is within the limit of 0\.\d+, so it is the same person\./,
  );
  await face.locator('.near').getByText('distance 0.').waitFor();
  expect(await accessibilityFaults(page)).toEqual([]);

  const id = await face.getAttribute('id');
  await face.getByLabel('Correct the name').selectOption({ label: 'Nobody known' });
  await face.getByRole('button', { name: 'Save' }).click();

  const corrected = page.locator(`#${id}`);
  await corrected.getByText('set by hand').waitFor();
  await corrected.getByRole('heading', { name: /Unknown/ }).waitFor();
  await corrected.getByLabel('Correct the name').selectOption({ label: 'Alice' });
  await corrected.getByRole('button', { name: 'Save' }).click();
  await corrected.getByRole('heading', { name: /Alice/ }).waitFor();
});

browserTest('filters narrow the table and stand in the address', async () => {
  await page.goto(system.url);
  await page.getByLabel('Outcome').selectOption({ label: 'Nobody known' });
  await page.waitForURL(/\?outcome=unknown$/);
  expect(await page.locator('tr[data-id]').count()).toBe(1);
  await page.getByRole('link', { name: 'Clear' }).click();
  await page.waitForURL(`${system.url}/`);
  await page.getByLabel('Person').selectOption({ label: 'Alice' });
  await page.waitForURL(/\?person=\d+$/);
  await rowOf('Alice').waitFor();
  expect(await page.locator('tr[data-id]').count()).toBe(1);
});

browserTest('a photo is retried and erased from its page', async () => {
  await page.goto(`${system.url}/?outcome=unknown`);
  await page.locator('td.id a').first().click();
  await page.getByRole('button', { name: 'Recognise again' }).click();
  await page.getByText('Put back: it waits for its turn.').or(page.getByText('processed')).first().waitFor();
  await page.locator('.photo-head').getByText('processed').waitFor(RECOGNISED);

  await page.getByRole('button', { name: 'Erase' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('the faces that were found on it').waitFor();
  expect(await accessibilityFaults(page)).toEqual([]);
  await dialog.getByRole('button', { name: 'Erase the photo' }).click();
  await page.waitForURL(`${system.url}/`);
  await page.goto(`${system.url}/?outcome=unknown`);
  await page.getByText('No photo is like that.').waitFor();
});

browserTest('a person is renamed, and erased after a word on what goes', async () => {
  await page.goto(`${system.url}/people`);
  const card = page.locator('.card');
  await card.getByRole('button', { name: 'Rename' }).click();
  await page.getByLabel('New name').fill('Alice Liddell');
  await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click();
  await card.getByRole('heading', { name: 'Alice Liddell' }).waitFor();

  await card.getByRole('button', { name: 'Erase' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('1 known photo, with the files and their descriptors').waitFor();
  await dialog.getByText('the name on 1 photo').waitFor();
  await dialog.getByRole('button', { name: 'Erase Alice Liddell' }).click();
  await card.waitFor({ state: 'detached' });
  await page.goto(system.url);
  await page.locator('tr[data-id]').first().waitFor();
  expect(await page.getByText('Alice').count()).toBe(0);
});
