import { afterEach, expect, test } from 'vitest';
import { freshDatabase, mysqlEnv } from '../../../test/harness/database.ts';
import { makePhotoFolders } from '../../../test/harness/photo-folders.ts';
import { type Service, startService } from '../../../test/harness/service.ts';

let frontend: Service | undefined;

afterEach(async () => {
  await frontend?.stop();
  frontend = undefined;
});

async function start(env: Record<string, string> = {}): Promise<Service> {
  frontend = await startService('frontend', { ...mysqlEnv(await freshDatabase()), ...makePhotoFolders(), ...env });
  return frontend;
}

const isGone = (url: string) =>
  fetch(url).then(
    () => false,
    () => true,
  );

test('an empty database is made ready, and the page says what to do', async () => {
  const { url } = await start();
  await expect.poll(async () => (await fetch(url)).status, { timeout: 20_000 }).toBe(200);
  expect(await (await fetch(url)).text()).toContain('No photos yet.');
});

test('it is ready without a database, and answers 503 itself', async () => {
  const { url, metricsUrl } = await start({ MYSQL_PORT: '1' });
  expect((await fetch(`${metricsUrl}/readyz`)).status).toBe(200);
  const response = await fetch(url);
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
  expect(await response.text()).toContain('The database is away');
});

test('open pages do not hold up the end, and nobody is served after it', async () => {
  const service = await start();
  await expect.poll(async () => (await fetch(service.url)).status, { timeout: 20_000 }).toBe(200);
  const events = await fetch(`${service.url}/events?table&rows=`);
  const reader = events.body?.getReader();
  await reader?.read();
  const ended = service.stop();
  for (;;) if ((await reader?.read())?.done !== false) break;
  expect(await ended).toBe(0);
  expect(await isGone(service.url)).toBe(true);
});
