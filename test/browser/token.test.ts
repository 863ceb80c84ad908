import { expect } from 'vitest';
import { startSystem } from '../harness/system.ts';
import { browserTest, dropFiles, redPhoto } from './browser.ts';
import { tellStory } from './story.ts';

const TOKEN = 'open-sesame';
const story = tellStory(() => startSystem('posting', { env: { API_TOKEN: TOKEN } }));

browserTest('the token is asked for once, and kept for this session alone', async () => {
  story.forgive(/status of 401/);
  const page = await story.open('/');
  const verdicts = page.locator('[data-uploads] .verdict', { hasText: /Photo \d+/ });

  await dropFiles(page, '[data-upload]', [await redPhoto(10), await redPhoto(20)]);
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Token').fill('wrong');
  await dialog.getByRole('button', { name: 'Use the token' }).click();
  await dialog.getByText('The token was not accepted.').waitFor();
  await dialog.getByLabel('Token').fill(TOKEN);
  await dialog.getByRole('button', { name: 'Use the token' }).click();
  await verdicts.nth(1).waitFor();

  await page.reload();
  await dropFiles(page, '[data-upload]', [await redPhoto(30)]);
  await verdicts.first().waitFor();
  expect(await dialog.count()).toBe(0);
  expect(await page.evaluate(() => [Object.values(sessionStorage), Object.values(localStorage), document.cookie])).toEqual([
    [TOKEN],
    [],
    '',
  ]);
});
