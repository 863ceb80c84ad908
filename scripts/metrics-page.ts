import { type Metric, PROCESS_METRICS, SERVICE_METRICS } from './service-metrics.ts';

const row = ({ name, type, labels, help }: Metric) =>
  `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(' ')} | ${help.replace(/\.?$/, '.')} |`;

const table = (metrics: readonly Metric[]) =>
  ['| metric | type | labels | what it says |', '| --- | --- | --- | --- |', ...metrics.map(row)].join('\n');

/** docs/metrics.md. */
export function metricsPage(): string {
  return `# Metrics

Made by \`npm run generate\` from the registries in the code; do not edit. Every process serves these at \`/metrics\` of its
\`METRICS_PORT\`, each with a label \`service\`. Times are seconds, sizes bytes; a histogram has \`_bucket\`, \`_sum\` and \`_count\`. What
to watch and what to do about it: [operations](operations.md). A dashboard and alert rules: \`kube_files/monitoring\`.

${[...SERVICE_METRICS].map(([service, metrics]) => `## ${service}\n\n${table(metrics)}\n`).join('\n')}
The redeemer is a process of a few seconds and serves none; what it did stands in its log and, where traces are kept, as one trace for
each run; what it has still to do is image-processor's \`kube_face_oldest_pending_photo_seconds\` and \`kube_face_leases_ended\`.

## Every process

${table(PROCESS_METRICS)}
`;
}
