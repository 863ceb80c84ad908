import type { Page } from 'playwright-core';
import { beforeAll, expect, inject } from 'vitest';
import { startSystem } from '../harness/system.ts';
import { accessibilityFaults, browserTest, fitsInWidth } from './browser.ts';
import { HOSTILE, seedTable } from './seed.ts';
import { tellStory } from './story.ts';
import { range, shownIds } from './table.ts';

const story = tellStory(() => startSystem('pages'));
let matched: number;

beforeAll(async () => {
  if (inject('browser')) ({ matched } = await seedTable(story.system()));
});

const shownPaths = (page: Page) => page.locator('tr[data-id] td.path').allTextContents();

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
