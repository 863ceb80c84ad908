import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { dashboard } from './dashboard.ts';

const ALERTS = new URL('../../monitoring/alerts.yaml', import.meta.url);
const HEAD = '# Made by `npm run generate` from monitoring/; do not edit.\n';
const PART_OF = 'app.kubernetes.io/part-of';
const labels = { [PART_OF]: 'kube-face' };

export type Rule = { alert: string; expr: string; annotations: { summary: string; description: string; runbook_url?: string } };
export type Rules = { groups: { name: string; rules: Rule[] }[] };

/** The alert rules, each with the place in the handbook that says what to do. */
export function alertRules(): Rules {
  const { groups } = parse(readFileSync(ALERTS, 'utf8')) as Rules;
  const withRunbook = (rule: Rule): Rule => ({
    ...rule,
    annotations: { ...rule.annotations, runbook_url: `docs/operations.md#${rule.alert.toLowerCase()}` },
  });
  return { groups: groups.map((group) => ({ ...group, rules: group.rules.map(withRunbook) })) };
}

// Pods of ours whose container has a port `metrics`, wherever Prometheus may look.
const SCRAPE = [
  {
    job_name: 'kube-face',
    kubernetes_sd_configs: [{ role: 'pod' }],
    relabel_configs: [
      { source_labels: ['__meta_kubernetes_pod_label_app_kubernetes_io_part_of'], regex: 'kube-face', action: 'keep' },
      { source_labels: ['__meta_kubernetes_pod_container_port_name'], regex: 'metrics', action: 'keep' },
      { source_labels: ['__meta_kubernetes_namespace'], target_label: 'namespace' },
      { source_labels: ['__meta_kubernetes_pod_name'], target_label: 'pod' },
    ],
  },
];

const yaml = (value: object) => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
const configMap = (name: string, data: Record<string, string>, more = {}) =>
  HEAD + yaml({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { ...labels, ...more } }, data });
const operator = (kind: string, spec: object) =>
  HEAD + yaml({ apiVersion: 'monitoring.coreos.com/v1', kind, metadata: { name: 'kube-face', labels }, spec });

export const dashboardJson = () => `${JSON.stringify(dashboard(), null, 2)}\n`;

/** For Prometheus and Grafana that read ConfigMaps. */
export const dashboardManifest = () =>
  configMap('kube-face-dashboard', { 'kube-face.json': dashboardJson() }, { grafana_dashboard: '1' });
export const alertsManifest = () => configMap('kube-face-alerts', { 'kube-face.yaml': yaml(alertRules()) });
export const scrapeManifest = () => configMap('kube-face-scrape', { 'kube-face.yaml': yaml({ scrape_configs: SCRAPE }) });

/** For the Prometheus operator. */
export const prometheusRule = () => operator('PrometheusRule', alertRules());
export const podMonitor = () =>
  operator('PodMonitor', {
    selector: { matchLabels: labels },
    podMetricsEndpoints: [{ port: 'metrics', interval: '15s', honorLabels: true }],
  });
