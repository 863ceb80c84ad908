import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { expect, onTestFinished, test, vi } from 'vitest';
import { audit } from '../audit.ts';
import { EXCEPTIONS, FREE, LICENCES_FILE, licences, licencesPage } from '../licences.ts';
import { sbom } from '../sbom.ts';

vi.setConfig({ testTimeout: 60_000 }); // pnpm is a program of its own, and busy machines are slow to start it

type Advisory = { severity: string; vulnerable_versions: string };

/** Answers like the npm registry: advisories about the packages that were asked for, by name. Or with this status alone. */
async function startRegistry(answer: Record<string, Advisory> | number) {
  const asked: Record<string, string[]> = {};
  const server = createServer(async (request, response) => {
    if (typeof answer === 'number' || request.method !== 'POST' || request.url !== '/-/npm/v1/security/advisories/bulk') {
      request.resume();
      return response.writeHead(typeof answer === 'number' ? answer : 404).end();
    }
    Object.assign(asked, await json(request));
    const known = Object.entries(answer).filter(([name]) => name in asked);
    const advisories = known.map(([name, advisory]) => [
      name,
      [{ id: 7, url: 'https://example.org/7', title: 'a hole', cwe: [], cvss: { score: 8, vectorString: null }, ...advisory }],
    ]);
    return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(Object.fromEntries(advisories)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { asked, args: ['--registry', `http://127.0.0.1:${(server.address() as AddressInfo).port}`] };
}

const about = (severity: string, vulnerable_versions = '<6') => ({ express: { severity, vulnerable_versions } });

test('no advisory, no complaint, once the registry was asked about everything that the images contain', async () => {
  const { asked, args } = await startRegistry({});
  expect(await audit(args)).toMatchObject({ code: 0, report: '' });
  expect(asked).toMatchObject({
    express: [expect.stringMatching(/^5\./)],
    sharp: [expect.anything()],
    nsqjs: [expect.anything()],
  });
  expect(Object.keys(asked).length).toBeGreaterThan(100);
  for (const name of ['vitest', '@biomejs/biome']) expect(asked).not.toHaveProperty(name);
});

test('a lesser advisory is told and lets pass, a grave one does not', async () => {
  const told = expect.stringContaining('express <6  a hole');
  expect(await audit((await startRegistry(about('moderate'))).args)).toMatchObject({ code: 0, report: told });
  expect(await audit((await startRegistry(about('high'))).args)).toMatchObject({ code: 1, report: told });
  expect(await audit((await startRegistry(about('critical'))).args)).toMatchObject({ code: 1, report: told });
});

test('an advisory about versions that are not ours is none of ours', async () => {
  expect(await audit((await startRegistry(about('high', '<5'))).args)).toMatchObject({ code: 0, report: '' });
});

test('a registry that does not answer is no clean bill', async () => {
  expect(await audit((await startRegistry(405)).args)).toMatchObject({ code: 2, verdict: expect.stringMatching(/^UNKNOWN/) });
});

test('every dependency has a licence that asks for nothing, or is a known exception', async () => {
  const others = (await licences()).filter(({ name, licence }) => !FREE.has(licence) && EXCEPTIONS[name] !== licence);
  expect(others).toEqual([]);
});

test('docs/licences.md is as `npm run licences` writes it', async () => {
  expect(readFileSync(LICENCES_FILE, 'utf8')).toBe(licencesPage(await licences()));
});

test('the bill of materials names what the services load, and nothing of the tests', async () => {
  const { bomFormat, components } = JSON.parse(await sbom()) as { bomFormat: string; components: { name: string }[] };
  expect(bomFormat).toBe('CycloneDX');
  const names = new Set(components.map(({ name }) => name));
  for (const name of ['mysql2', 'grpc-js', 'sharp', 'nsqjs', 'pino']) expect(names).toContain(name);
  for (const name of ['vitest', 'biome', 'tfjs', 'playwright-core']) expect(names).not.toContain(name);
});
