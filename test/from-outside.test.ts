import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROCESS_METRICS, SERVICE_METRICS } from '../scripts/service-metrics.ts';
import { type ServiceName, startService } from './harness/service.ts';
import { startWatchedSystem, type WatchedSystem } from './harness/watched-system.ts';

const UNTIL = { timeout: 30_000, interval: 100 };

let system: WatchedSystem;
beforeAll(async () => {
  system = await startWatchedSystem();
});
afterAll(() => system.stop());

test.each([...SERVICE_METRICS])('%s serves every metric of docs/metrics.md and no other', async (name, metrics) => {
  const text = await (await fetch(`${system.service(name as ServiceName).metricsUrl}/metrics`)).text();
  const served = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, metric]) => metric));
  expect(served).toEqual(new Set([...metrics, ...PROCESS_METRICS].map((metric) => metric.name)));
});

/** Opens a request that gets on by one line in half a second and never ends. Resolves to what it was told once it is closed. */
function neverEnding(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n');
  const timer = setInterval(() => socket.write('X-A: b\r\n'), 500);
  let heard = '';
  socket.on('data', (data) => {
    heard += data.toString();
  });
  socket.on('error', () => {}); // it is closed anyway
  return new Promise((resolve) =>
    socket.once('close', () => {
      clearInterval(timer);
      resolve(heard);
    }),
  );
}

test.each([
  ['receiver', '/images'],
  ['frontend', '/'],
] as const)('%s answers others while 500 clients never end their requests, and lets those go', async (name, path) => {
  const { url } = system.service(name);
  const port = Number(new URL(url).port);
  const slow = Promise.all(Array.from({ length: 500 }, () => neverEnding(port)));
  let isOver = false;
  void slow.then(() => {
    isOver = true;
  });
  const answers = async () => {
    const answer = await fetch(url + path, { headers: system.headers, signal: AbortSignal.timeout(5_000) });
    return [answer.status, isOver];
  };
  for (let asked = 0; asked < 20; asked += 1) expect(await answers()).toEqual([200, false]);
  for (const heard of await slow) expect(heard).toMatch(/^HTTP\/1.1 408/);
});

test.each([
  ['receiver', '/stats'],
  ['receiver', '/no/such/route'],
  ['frontend', '/'],
  ['frontend', '/no/such/page'],
] as const)('%s tells browsers what they may do with %s, and nobody what it is made of', async (name, path) => {
  const answer = await fetch(system.service(name).url + path, system);
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  expect(answer.headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
  expect(answer.headers.get('referrer-policy')).toMatch(/no-referrer|same-origin/);
  expect([answer.headers.get('x-powered-by'), answer.headers.get('server')]).toEqual([null, null]);
});

test('no secret is logged, at whatever level, or stands in a command line', async () => {
  const { headers, env, mysql, services } = system;
  await fetch(`${system.service('receiver').url}/images`, { headers: { authorization: `${headers.authorization}x` } });
  await fetch(`${system.service('receiver').url}/images?token=1`, { headers });
  const password = `marked-${randomBytes(12).toString('hex')}`;
  const refused = await startService('receiver', { ...env, MYSQL_USERPASSWORD: `${mysql.user}:${password}` });
  await expect.poll(() => refused.output(), UNTIL).toMatch(/denied/i);
  const answer = await fetch(`${refused.url}/images`, { headers });
  expect(answer.status).toBe(503);
  const seen = [await answer.text()];
  const commands: string[] = [];
  for (const service of [...services, refused]) {
    seen.push(service.output());
    commands.push(readFileSync(`/proc/${service.pid()}/cmdline`, 'utf8'));
  }
  await refused.stop();
  expect(seen.join('').length).toBeGreaterThan(2_000);
  for (const secret of [env.API_TOKEN ?? '', password, mysql.password]) {
    expect(seen.filter((text) => text.includes(secret))).toEqual([]);
    expect(commands.filter((text) => text.includes(secret))).toEqual([]);
  }
});
