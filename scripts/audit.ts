// `npm run audit [-- what pnpm audit takes]`: known vulnerabilities in what the images contain. Exit code 0: none of severity
// high or critical; 1: some; 2: nobody knows, since the registry did not answer.
import { runPnpm } from './lib/pnpm.ts';

export type Audit = { code: 0 | 1 | 2; verdict: string; report: string };

type Report = {
  advisories: Record<string, { module_name: string; severity: string; title: string; vulnerable_versions: string; url: string }>;
};

const GRAVE = new Set(['high', 'critical']);

/** Asks the registry about every production dependency in the lockfile. */
export async function audit(args: readonly string[] = []): Promise<Audit> {
  const { output, errors } = await runPnpm(['audit', '--prod', '--json', ...args]);
  const found = advisoriesOf(output);
  if (!found) {
    const verdict =
      'UNKNOWN: the registry did not answer, so this says nothing about the dependencies. Ask again from elsewhere.';
    return { code: 2, verdict, report: errors.trim() };
  }
  const report = found
    .map(
      ({ severity, module_name, vulnerable_versions, title, url }) =>
        `${severity}  ${module_name} ${vulnerable_versions}  ${title}  ${url}`,
    )
    .join('\n');
  const grave = found.filter(({ severity }) => GRAVE.has(severity)).length;
  if (grave > 0) return { code: 1, verdict: `FAILED: ${grave} known vulnerabilities of severity high or critical`, report };
  return {
    code: 0,
    verdict: `PASSED: no known vulnerability of severity high or critical (${found.length} lesser ones)`,
    report,
  };
}

function advisoriesOf(output: string): Report['advisories'][string][] | undefined {
  try {
    return Object.values((JSON.parse(output) as Report).advisories);
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  const { code, verdict, report } = await audit(process.argv.slice(2));
  if (report !== '') console.log(report);
  console.log(verdict);
  process.exitCode = code;
}
