import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { dashboard } from '../scripts/monitoring/dashboard.ts';
import { alertRules } from '../scripts/monitoring/manifests.ts';
import { PROCESS_METRICS, SERVICE_METRICS } from '../scripts/service-metrics.ts';
import { CHECKOUT } from '../scripts/system/state.ts';
import { schemaFaults } from './kubernetes-schema.ts';
import { containersOf, type Manifest, readManifests, workloadsOf } from './manifests.ts';

const all = [...PROCESS_METRICS, ...[...SERVICE_METRICS.values()].flat()];
const SERIES = new Map(
  all.flatMap(({ name, type, labels }) => {
    const names = type === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name];
    return names.map((one) => [one, new Set([...labels, ...(one.endsWith('_bucket') ? ['le'] : [])])] as const);
  }),
);
// What every series has besides: `service` is ours, `pod` and `namespace` are put there by whoever scrapes.
const EVERYWHERE = new Set(['service', 'pod', 'namespace']);

/** Faults of a PromQL expression: where it is none, and what it names that no service serves. */
function promqlFaults(expr: string): string[] {
  const faults: string[] = [];
  const series: string[] = [];
  const labels: string[] = [];
  parser.parse(expr).iterate({
    enter({ type, from, to }) {
      const text = expr.slice(from, to);
      if (type.isError) faults.push(`syntax at ${from}: ${expr.slice(from, from + 20)}`);
      if (type.name === 'Identifier') series.push(text);
      if (type.name === 'LabelName') labels.push(text);
    },
  });
  const known = series.flatMap((name) => [...(SERIES.get(name) ?? [])]);
  faults.push(...series.filter((name) => !SERIES.has(name)).map((name) => `no such metric: ${name}`));
  faults.push(...labels.filter((name) => !EVERYWHERE.has(name) && !known.includes(name)).map((name) => `no such label: ${name}`));
  return series.length === 0 ? ['no metric at all', ...faults] : faults;
}

type Target = { expr: string; legendFormat: string };
const { panels } = dashboard();
const targets = panels.flatMap((panel) =>
  ('targets' in panel ? (panel.targets as Target[]) : []).map(
    (target) => [`${panel.title}: ${target.legendFormat}`, target] as const,
  ),
);
const rules = alertRules().groups.flatMap((group) => group.rules.map((rule) => [rule.alert, rule] as const));

test('the check of an expression sees a wrong name, a wrong label and a wrong syntax', () => {
  expect(promqlFaults('sum(rate(kube_face_photos_total[5m]))')).toEqual([]);
  expect(promqlFaults('kube_face_fotos_total')).toEqual(['no such metric: kube_face_fotos_total']);
  expect(promqlFaults('sum by (outcum) (kube_face_photos_total)')).toEqual(['no such label: outcum']);
  expect(promqlFaults('kube_face_photos_total{step="a"}')).toEqual(['no such label: step']);
  expect(promqlFaults('sum(kube_face_photos_total')).toEqual([expect.stringMatching(/^syntax/)]);
});

test.each(targets)('dashboard, %s', (_title, { expr, legendFormat }) => {
  const promql = expr.replaceAll('$__rate_interval', '5m');
  expect(promqlFaults(promql)).toEqual([]);
  for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
    expect(expr).toMatch(new RegExp(`by \\([^)]*\\b${label}\\b`));
});

test('the panels of the dashboard have ids of their own', () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  expect(targets.length).toBeGreaterThan(20);
});

test.each(rules)('alert %s asks for what there is, and says what to do', (_name, { expr, annotations }) => {
  expect(promqlFaults(expr)).toEqual([]);
  expect(annotations.summary).toMatch(/.{10,}\.$/);
  expect(annotations.description).toMatch(/.{20,}\.$/);
});

test('every alert has a case in which it fires and one in which it does not; promtool, where there is one, agrees', () => {
  const file = join(CHECKOUT, 'monitoring/alerts.test.yaml');
  type Case = { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] };
  const { tests } = parse(readFileSync(file, 'utf8')) as { tests: Case[] };
  const cases = tests.flatMap(({ alert_rule_test }) => alert_rule_test);
  const names = new Set(rules.map(([name]) => name));
  for (const fires of [true, false]) {
    const tried = cases.filter(({ exp_alerts }) => exp_alerts.length > 0 === fires);
    expect(new Set(tried.map(({ alertname }) => alertname))).toEqual(names);
  }
  const promtool = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
  if (promtool.error) expect(promtool.error).toMatchObject({ code: 'ENOENT' });
  else expect(promtool).toMatchObject({ status: 0, stdout: expect.stringContaining('SUCCESS') });
});

test('the handbook has a place for every alert, and for no other', () => {
  const handbook = readFileSync(join(CHECKOUT, 'docs/operations.md'), 'utf8');
  const headings = [...handbook.matchAll(/^#+ (KubeFace\w+)$/gm)].map(([, name]) => name);
  expect(new Set(headings)).toEqual(new Set(rules.map(([name]) => name)));
});

const manifests = readManifests('monitoring');

const forTheOperator = readManifests('monitoring/operator').map((one) => ({ ...one, file: `operator/${one.file}` }));

test.each([...manifests, ...forTheOperator].map((manifest) => [manifest.file, manifest] as const))(
  '%s is what the API server accepts',
  async (_file, manifest) => {
    const { file: _name, ...object } = manifest;
    expect(await schemaFaults(object)).toEqual([]);
    expect(manifest.metadata.namespace).toBeUndefined();
  },
);

test('`kubectl apply -f kube_files` takes none of them, and `-f kube_files/monitoring` nothing that needs the operator', () => {
  expect(
    readManifests().filter(({ metadata }) => metadata.name.startsWith('kube-face-') && metadata.name !== 'kube-face-secret'),
  ).toEqual([]);
  expect(manifests.map(({ kind }) => kind)).toEqual(['ConfigMap', 'ConfigMap', 'ConfigMap']);
  expect(readdirSync(join(CHECKOUT, 'kube_files/monitoring/operator'))).toEqual(['alerts.yaml', 'pods.yaml']);
});

test('the ConfigMaps hold what Prometheus and Grafana read', () => {
  const data = new Map(manifests.map(({ metadata, data: files }) => [metadata.name, Object.values(files ?? {})[0] ?? '']));
  expect(JSON.parse(data.get('kube-face-dashboard') ?? '')).toEqual(JSON.parse(JSON.stringify(dashboard())));
  expect(parse(data.get('kube-face-alerts') ?? '')).toEqual(alertRules());
  expect(manifests.find(({ metadata }) => metadata.name === 'kube-face-dashboard')?.metadata.labels).toMatchObject({
    grafana_dashboard: '1',
  });
});

test('whoever scrapes finds every service by its label and the name of its port', () => {
  const text = readFileSync(join(CHECKOUT, 'kube_files/monitoring/operator/pods.yaml'), 'utf8');
  const { spec } = parse(text) as Manifest & { spec: { selector: { matchLabels: Record<string, string> } } };
  const watched = workloadsOf(readManifests()).filter((workload) => {
    const isOurs = Object.entries(spec.selector.matchLabels).every(([name, value]) => workload.labels[name] === value);
    return isOurs && containersOf(workload).some(({ ports = [] }) => ports.some(({ name }) => name === 'metrics'));
  });
  expect(watched.map(({ labels }) => labels.app).sort()).toEqual(['face-recog', 'frontend', 'image-processor', 'receiver']);
  expect(existsSync(join(CHECKOUT, 'monitoring/alerts.yaml'))).toBe(true);
});
