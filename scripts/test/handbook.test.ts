import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, type Env } from '@kube-face/shared-lib/env';
import { expect, test } from 'vitest';
import { loadConfig as faceRecognition } from '../../services/face-recognition/src/config.ts';
import { loadConfig as frontend } from '../../services/frontend/src/config.ts';
import { loadConfig as imageProcessor } from '../../services/image-processor/src/config.ts';
import { loadRedeemerConfig as redeemer } from '../../services/image-processor/src/redeemer-config.ts';
import { loadConfig as receiver } from '../../services/receiver/src/config.ts';
import { CHECKOUT } from '../system/state.ts';

const handbook = readFileSync(join(CHECKOUT, 'docs/operations.md'), 'utf8');

function sourcesOf(service: string): string {
  const folders = [`services/${service}/src`, 'services/shared-lib/src'].map((folder) => join(CHECKOUT, folder));
  return folders
    .flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n');
}

const FOLDERS: Readonly<Record<string, string>> = { all: 'shared-lib', redeemer: 'image-processor' };
const table = handbook.slice(handbook.indexOf('## Log lines'), handbook.indexOf('## Alerts'));
const lines = [...table.matchAll(/^\| ([\w-]+) \| (`.*?) \|/gm)].flatMap(([, service = '', cell = '']) =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, line = '']) => [service, line] as const),
);

test('the table of log lines is read', () => {
  expect(lines.length).toBeGreaterThan(25);
});

test.each(lines)('%s logs "%s"', (service, line) => {
  const sources = sourcesOf(FOLDERS[service] ?? service);
  for (const part of line.split('…')) expect(sources).toContain(part.trim());
});

/** The text from `start` up to the bracket that closes what was open there. */
function upToBracket(source: string, start: number): string {
  let open = 1;
  let end = start;
  for (; open > 0; end += 1) open += source[end] === '(' ? 1 : source[end] === ')' ? -1 : 0;
  return source.slice(start, end - 1);
}

/** What is logged as a warning or worse, with … for what is filled in. */
function warningsOf(source: string): string[] {
  return [...source.matchAll(/\blog\.(?:warn|error|fatal)\(/g)].flatMap(({ index, 0: call }) => {
    const given = upToBracket(source, index + call.length);
    const message = given.slice(given.lastIndexOf('},') + 1);
    const variable = /^\W*(\w+)\W*$/.exec(message)?.[1];
    const text = variable === undefined ? message : source.slice(source.lastIndexOf(`const ${variable} = `, index), index);
    const strings = [...text.matchAll(/'([^']+)'|`([^`]+)`/g)].map(([, plain, template]) => plain ?? template ?? '');
    return strings.length > 0 ? strings.map((string) => string.replace(/\$\{[^}]*\}/g, '…')) : [given];
  });
}

const CONFIGURATION = 'error.message'; // `bad configuration: …`
const services = readdirSync(join(CHECKOUT, 'services'));
const warnings = services.flatMap((service) => warningsOf(sourcesOf(service)));

test('whatever is logged as a warning or worse stands in the table', () => {
  const source = [
    "log.warn({ a: f(1) }, ok ? 'one' : 'two'); const text = 'three'; log.error(text); log.fatal(`f $",
    '{x}`)',
  ].join('');
  expect(warningsOf(source)).toEqual(['one', 'two', 'three', 'f …']);
  const told = new Set([...lines.map(([, line]) => line), CONFIGURATION]);
  expect([...new Set(warnings)].filter((warning) => !told.has(warning))).toEqual([]);
  expect(new Set(warnings).size).toBeGreaterThan(40);
});

const CONFIGS: Readonly<Record<string, (env: Env) => unknown>> = {
  receiver,
  'image-processor': (env) => [imageProcessor, redeemer].map((load) => variablesAskedFor(load, env)),
  'face-recognition': (env) => faceRecognition(env, 2),
  frontend,
};

/** Reads a configuration for what it asks for alone: what is missing does not matter. */
function variablesAskedFor(load: (env: Env) => unknown, env: Env): void {
  try {
    load(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
  }
}

test.each(Object.entries(CONFIGS))('the README of %s names every variable that it reads', (service, load) => {
  const asked = new Set<string>();
  variablesAskedFor(load, new Proxy<Env>({}, { get: (_target, name) => void asked.add(String(name)) }));
  const readme = readFileSync(join(CHECKOUT, 'services', service, 'README.md'), 'utf8');
  const named = new Set([...readme.matchAll(/`([A-Z][A-Z_]+)`/g)].map(([, name]) => name));
  expect([...asked].filter((name) => !named.has(name))).toEqual([]);
  expect(asked.size).toBeGreaterThan(5);
});

const DOCUMENTS = readdirSync(join(CHECKOUT, 'docs'), { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.md'),
);
const PATH = /`((?:services|db|proto|scripts|kube_files|monitoring|docker|test|docs|bench)\/[\w./-]+)`/g;

test.each(DOCUMENTS)('docs/%s names only files that are there', (file) => {
  const text = readFileSync(join(CHECKOUT, 'docs', file), 'utf8');
  const paths = [...text.matchAll(PATH)].map(([, path = '']) => path).filter((path) => !/NAME|\/dist\//.test(path));
  expect(paths.filter((path) => !existsSync(join(CHECKOUT, path)))).toEqual([]);
});

test('every link between the documents leads somewhere', () => {
  for (const file of DOCUMENTS) {
    const path = join(CHECKOUT, 'docs', file);
    for (const [, link = ''] of readFileSync(path, 'utf8').matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)) {
      expect(() => readFileSync(join(path, '..', link)), `${file}: ${link}`).not.toThrow();
    }
  }
});
