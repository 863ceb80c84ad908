import { startSystem } from '../harness/system.ts';
import { browserTest, dropFiles, redPhoto } from './browser.ts';
import { tellStory } from './story.ts';

const story = tellStory(() => startSystem('posting'));

browserTest('a photo that there was no room for, or no answer to, is sent again by its button', async () => {
  story.forgive(/status of 429/, /ERR_FAILED/);
  const page = await story.open('/');
  const headers = { 'access-control-allow-origin': '*' };
  const json = { error: { code: 'too_many_requests', message: 'more than 5 requests at once' } };
  await page.route('**/image/upload', (route) => route.fulfill({ status: 429, headers, json }), { times: 1 });
  await page.route('**/image/upload', (route) => route.abort(), { times: 1 }); // the one that was added last comes first

  await dropFiles(page, '[data-upload]', [await redPhoto(10)]);
  const line = page.locator('[data-uploads] li', { hasText: 'red-10.png' });
  await line.getByText('does not answer').waitFor();
  await line.getByRole('button', { name: 'Try again' }).click();
  await line.getByText('More than 5 requests at once.').waitFor();
  await line.getByRole('button', { name: 'Try again' }).click();
  await line.locator('.verdict', { hasText: /Photo \d+/ }).waitFor();
});
