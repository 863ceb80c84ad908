import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, inject } from 'vitest';
import { startSystem } from '../harness/system.ts';
import { browserTest } from './browser.ts';
import { addPhoto, seedTable } from './seed.ts';
import { tellStory } from './story.ts';
import { range, shownIds } from './table.ts';

const story = tellStory(() => startSystem('pages'));
let grey: Buffer;

beforeAll(async () => {
  if (inject('browser')) ({ grey } = await seedTable(story.system()));
});

/** A photo that waits, with a picture, so that the browser has no reason to complain. */
function addGrey(path: string): Promise<number> {
  const { database, unknownPeople } = story.system();
  writeFileSync(join(unknownPeople, path), grey);
  return addPhoto(database, { path });
}

browserTest('rows come and change while one reads, and what is read stays where it is', async () => {
  const { database } = story.system();
  const page = await story.open('/');
  await page.locator('[data-live=live]').waitFor();
  const read = page.locator('#photo-100');
  await read.evaluate((row) => row.scrollIntoView({ block: 'center' }));
  const top = () => read.evaluate((row) => Math.round(row.getBoundingClientRect().top));
  const before = await top();

  const id = await addGrey('new.jpg');
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
  const other = await addGrey('waits.jpg');
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
  const id = await addGrey('polled.jpg');
  await page.locator(`#photo-${id}`).waitFor();
  await database.query('delete from images where id = ?', [id]);
  await page.locator(`#photo-${id}`).waitFor({ state: 'detached' });
});
