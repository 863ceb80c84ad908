import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { photosOf, sampleFile } from '../../scripts/demo/sample-files.ts';
import { PEOPLE, PHOTOS } from '../../scripts/demo/samples.ts';
import { startSystem } from '../harness/system.ts';
import { accessibilityFaults, browserTest, dropFiles } from './browser.ts';
import { keepScreenshot } from './screenshots.ts';
import { addPhoto } from './seed.ts';
import { tellStory } from './story.ts';

const story = tellStory(() => startSystem('all'));
const RECOGNISED = { timeout: 60_000 };

browserTest('people and photos of the samples, as a visitor sees them', async () => {
  const people = await story.open('/people');
  for (const { name } of PEOPLE) {
    await people.getByLabel('Name', { exact: true }).fill(name);
    const photos = (await photosOf(name)).map(({ fileName, bytes }) => ({ name: fileName, type: 'image/jpeg', bytes }));
    await dropFiles(people, '[data-enrol] [data-drop]', photos);
    await people.locator('.card', { hasText: name }).waitFor(RECOGNISED);
  }
  await people
    .getByText('Enrolled: ')
    .nth(PEOPLE.length - 1)
    .waitFor(RECOGNISED);
  await keepScreenshot(people, 'enrol');

  await addPhoto(story.system().database, {
    path: 'holiday/lost.jpg',
    status: 2,
    outcome: 'missing_file',
    attempts: 1,
    started_at: new Date(),
    finished_at: new Date(),
  });
  const photos = await story.open('/');
  await photos.locator('[data-live=live]').waitFor();
  await dropFiles(
    photos,
    '[data-upload]',
    PHOTOS.map((name) => ({ name, type: 'image/jpeg', bytes: readFileSync(sampleFile(name)) })),
  );
  await expect.poll(() => photos.locator('tr[data-status=processed]').count(), RECOGNISED).toBe(PHOTOS.length);
  for (const { name } of PEOPLE) await photos.locator('td.person', { hasText: name }).first().waitFor();
  await expect.poll(() => photos.locator('[data-uploads] li:is(.good, .calm)').allTextContents()).toHaveLength(PHOTOS.length);
  const verdicts = await photos.locator('[data-uploads] .verdict').allTextContents();
  expect(verdicts.filter((text) => !/^Photo \d+: (Alice|Bianca|Carmen|Faces, but nobody known)$/.test(text))).toEqual([]);
  await photos.locator('[data-summary]').getByText('4 recognised').waitFor();
  await keepScreenshot(photos, 'upload');
  await photos.reload();
  await photos.locator('[data-live=live]').waitFor();
  await keepScreenshot(photos, 'photos');
  expect(await accessibilityFaults(photos)).toEqual([]);

  const photo = await story.open('/');
  await photo.locator('tr', { hasText: 'Alice' }).last().locator('td.id a').click();
  await photo.locator('.face').first().waitFor();
  await keepScreenshot(photo, 'photo', { fullPage: true });

  await people.reload();
  await keepScreenshot(people, 'people');
  const dark = await story.open('/', { colorScheme: 'dark' });
  await keepScreenshot(dark, 'photos-dark');
  const narrow = await story.open('/', { viewport: { width: 360, height: 780 } });
  await narrow.locator('tr[data-id]').first().scrollIntoViewIfNeeded();
  await keepScreenshot(narrow, 'photos-narrow');
});
