// `npm run generate`: writes anew what is made from something else in the repository. Tests compare.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { metricsPage } from './metrics-page.ts';
import {
  alertsManifest,
  dashboardJson,
  dashboardManifest,
  podMonitor,
  prometheusRule,
  scrapeManifest,
} from './monitoring/manifests.ts';
import { mysqlInit } from './mysql-init.ts';
import { CHECKOUT } from './system/state.ts';

/** Generated files by their path, with the text that they must have. */
export const GENERATED: Readonly<Record<string, () => string>> = {
  'docs/metrics.md': metricsPage,
  'kube_files/mysql_init.yaml': mysqlInit,
  'monitoring/dashboard.json': dashboardJson,
  'kube_files/monitoring/dashboard.yaml': dashboardManifest,
  'kube_files/monitoring/alerts.yaml': alertsManifest,
  'kube_files/monitoring/scrape.yaml': scrapeManifest,
  'kube_files/monitoring/operator/alerts.yaml': prometheusRule,
  'kube_files/monitoring/operator/pods.yaml': podMonitor,
};

if (import.meta.main) {
  for (const [file, text] of Object.entries(GENERATED)) writeFileSync(join(CHECKOUT, file), text());
}
