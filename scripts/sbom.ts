// `npm run sbom [-- FILE]`: a CycloneDX bill of materials of what the images contain, by pnpm from the lockfile; to standard
// output, or into the file.
import { writeFileSync } from 'node:fs';
import { OF_THE_SERVICES, runPnpm } from './lib/pnpm.ts';

/** The text of the bill. Throws with what pnpm said where it makes none. */
export async function sbom(): Promise<string> {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-spec-version', '1.6', '--sbom-type', 'application', '--prod'];
  const { code, output, errors } = await runPnpm([...OF_THE_SERVICES, ...args]);
  if (code !== 0) throw new Error(`pnpm sbom ended with ${code}: ${errors}`);
  return output;
}

if (import.meta.main) {
  const file = process.argv[2];
  const text = await sbom();
  if (file === undefined) process.stdout.write(text);
  else writeFileSync(file, text);
}
