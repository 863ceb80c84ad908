// `npm run licences`: writes docs/licences.md, the licences of what the images contain.
import { writeFileSync } from 'node:fs';
import { OF_THE_SERVICES, runPnpm } from './lib/pnpm.ts';

export type Licensed = { name: string; versions: string; licence: string };

export const LICENCES_FILE = new URL('../docs/licences.md', import.meta.url);

/** Licences that ask for no more than their text and the authors' names. Of another one somebody must think first. */
export const FREE = new Set(['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', '(MIT OR CC0-1.0)']);

/** What is let through nevertheless, each for a reason that the document gives. */
export const EXCEPTIONS: Readonly<Record<string, string>> = {
  '@img/sharp-libvips-*': 'LGPL-3.0-or-later',
  'node-state': 'none named',
};

// One package for each platform, of which only this machine's is installed: `-linux-x64`, `-linuxmusl-arm64`, `-wasm32`.
const PLATFORM = /-(linux|linuxmusl|darwin|win32|wasm32)[-\w]*$/;

/** Every production dependency of the services, by name. */
export async function licences(): Promise<Licensed[]> {
  const { code, output, errors } = await runPnpm([...OF_THE_SERVICES, 'licenses', 'list', '--prod', '--json']);
  if (code !== 0) throw new Error(`pnpm licenses ended with ${code}: ${errors}`);
  const byLicence = JSON.parse(output) as Record<string, { name: string; versions: string[] }[]>;
  const all = Object.entries(byLicence).flatMap(([licence, packages]) =>
    packages.map(({ name, versions }) => ({
      name: name.replace(PLATFORM, '-*'),
      versions: versions.toSorted().join(', '),
      licence: licence === 'Unknown' ? 'none named' : licence,
    })),
  );
  return [...new Map(all.map((one) => [one.name, one])).values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The document. */
export function licencesPage(all: readonly Licensed[]): string {
  const counts = Object.entries(Object.groupBy(all, ({ licence }) => licence))
    .map(([licence, packages = []]) => `${licence}: ${packages.length}`)
    .sort();
  return `# Licences of what the images contain

Made by \`npm run licences\`; do not edit. kube-face itself is MIT (see LICENSE). \`npm run sbom\` prints the same as a CycloneDX bill.

The networks in the face-recognition image are made from the weights in \`@vladmandic/human\` and \`@vladmandic/face-api\`, both MIT.

Two packages are not under a licence that asks for nothing:

- libvips (LGPL) comes as a shared library of its own, which whoever runs an image may replace.
- \`node-state\`, the state machine inside nsqjs (MIT), names no licence in its package or its README. Whoever
  distributes images for money should ask its author first, or replace nsqjs.

${counts.join(' · ')}

| package | version | licence |
| --- | --- | --- |
${all.map(({ name, versions, licence }) => `| ${name} | ${versions} | ${licence} |`).join('\n')}
`;
}

if (import.meta.main) writeFileSync(LICENCES_FILE, licencesPage(await licences()));
