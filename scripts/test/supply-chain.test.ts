import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { audit } from '../audit.ts';
import { EXCEPTIONS, FREE, LICENCES_FILE, licences, licencesPage } from '../licences.ts';
import { sbom } from '../sbom.ts';

vi.setConfig({ testTimeout: 60_000 }); // pnpm is a program of its own, and busy machines are slow to start it

/** A registry that knows these advisories, or that answers with this status. */
async function startRegistry(answer: object | number): Promise<string[]> {
  const server = createServer((request, response) => {
    request.resume();
    if (typeof answer === 'number') response.writeHead(answer).end();
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return ['--registry', `http://127.0.0.1:${(server.address() as AddressInfo).port}`];
}

const advisory = (severity: string) => ({
  express: [
    { id: 7, url: 'https://example.org/7', title: 'a hole', severity, vulnerable_versions: '<6', cwe: [], cvss: { score: 8 } },
  ],
});

test('no advisory, no complaint', async () => {
  expect(await audit(await startRegistry({}))).toMatchObject({ code: 0, report: '' });
});

test('a lesser advisory is told and lets pass, a grave one does not', async () => {
  const told = expect.stringContaining('express <6  a hole');
  expect(await audit(await startRegistry(advisory('moderate')))).toMatchObject({ code: 0, report: told });
  expect(await audit(await startRegistry(advisory('high')))).toMatchObject({ code: 1, report: told });
});

test('a registry that does not answer is no clean bill', async () => {
  expect(await audit(await startRegistry(405))).toMatchObject({ code: 2, verdict: expect.stringMatching(/^UNKNOWN/) });
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
