import { afterAll, inject, vi } from 'vitest';
import { freshDatabase } from '../harness/database.ts';
import { type Mysql, startMysql } from '../harness/mysql.ts';
import { startSystem } from '../harness/system.ts';
import { browserTest } from './browser.ts';
import { addPhoto } from './seed.ts';
import { tellStory } from './story.ts';

let mysql: Mysql;
const story = tellStory(async () => {
  mysql = await startMysql();
  return startSystem('pages', { mysql: await freshDatabase(mysql.admin) });
});
afterAll(async () => {
  if (inject('browser')) await mysql.stop();
});

browserTest('while the database is away the page says so, and it comes back by itself', async () => {
  story.forgive(/status of 503/, /status of 404/, /ERR_INCOMPLETE_CHUNKED_ENCODING/);
  const following = await story.open('/');
  await following.locator('[data-live=live]').waitFor();

  await mysql.kill();
  await following.locator('[data-live=away]').waitFor();
  const late = await story.open('/');
  await late.getByRole('heading', { name: 'The database is away' }).waitFor();

  await mysql.start();
  await vi.waitFor(() => addPhoto(story.system().database, { path: 'back.jpg' }), { timeout: 30_000 });
  await late.getByText('back.jpg').waitFor();
  await following.getByText('back.jpg').waitFor();
  await following.locator('[data-live=live]').waitFor();
});
