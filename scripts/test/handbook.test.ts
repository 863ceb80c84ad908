import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
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
