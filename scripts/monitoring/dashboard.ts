import {
  type Dashboard,
  type GraphFieldConfig,
  LegendDisplayMode,
  type Panel,
  type RowPanel,
  SortOrder,
  TooltipDisplayMode,
  VisibilityMode,
} from '@grafana/schema';
import type { Options } from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

/** A figure: title, unit as Grafana calls it, and queries by what their lines are called. */
type Figure = { title: string; unit: string; queries: Readonly<Record<string, string>>; note?: string };

const P = 'kube_face_';
const rate = (metric: string, by: string, where = '') => `sum by (${by}) (rate(${P}${metric}${where}[$__rate_interval]))`;
const quantile = (q: number, metric: string, by: string, where = '') =>
  `histogram_quantile(${q}, sum by (le, ${by}) (rate(${P}${metric}_bucket${where}[$__rate_interval])))`;

const ROWS: Readonly<Record<string, readonly Figure[]>> = {
  Photos: [
    { title: 'Posted', unit: 'cps', queries: { '{{outcome}}': rate('posted_images_total', 'outcome') } },
    { title: 'Results', unit: 'cps', queries: { '{{outcome}}': rate('photos_total', 'outcome') } },
    {
      title: 'Oldest pending photo',
      unit: 's',
      queries: { waits: `max(${P}oldest_pending_photo_seconds)` },
      note: 'Over ten minutes is an alert.',
    },
    {
      title: 'Time in the queue',
      unit: 's',
      queries: { median: quantile(0.5, 'photo_queue_seconds', 'service'), p99: quantile(0.99, 'photo_queue_seconds', 'service') },
    },
    { title: 'Steps in the processor, p95', unit: 's', queries: { '{{step}}': quantile(0.95, 'photo_step_seconds', 'step') } },
    {
      title: 'Detours',
      unit: 'cps',
      queries: {
        'put back: {{reason}}': rate('photos_put_back_total', 'reason'),
        'tried again: {{outcome}}': rate('photo_retries_total', 'outcome'),
        'claim lost: {{found}}': rate('claims_lost_total', 'found'),
        'result thrown away': rate('leases_lost_total', 'service'),
      },
    },
    {
      title: 'Leases that ended',
      unit: 'none',
      queries: { photos: `max(${P}leases_ended)` },
      note: 'Photos whose processor died; the redeemer takes them up every minute.',
    },
  ],
  Requests: [
    {
      title: 'Requests',
      unit: 'reqps',
      queries: { '{{service}} {{code}}': rate('http_request_duration_seconds_count', 'service, code') },
    },
    {
      title: 'Latency by route, p99',
      unit: 's',
      queries: { '{{service}} {{method}} {{route}}': quantile(0.99, 'http_request_duration_seconds', 'service, method, route') },
    },
    { title: 'Photos committed together', unit: 'none', queries: { p95: quantile(0.95, 'commit_group_images', 'service') } },
  ],
  'Face recognition': [
    { title: 'Identify, p95', unit: 's', queries: { '{{outcome}}': quantile(0.95, 'identify_seconds', 'outcome') } },
    { title: 'Engine steps, p95', unit: 's', queries: { '{{step}}': quantile(0.95, 'engine_step_seconds', 'step') } },
    {
      title: 'Workers',
      unit: 'none',
      queries: {
        workers: `sum(${P}engine_workers)`,
        busy: `sum(${P}engine_workers_busy)`,
        'photos waiting': `sum(${P}engine_queue_photos)`,
      },
    },
    { title: 'Circuit open', unit: 'none', queries: { '{{pod}}': `max by (pod) (${P}circuit_open)` } },
    {
      title: 'Calls',
      unit: 'none',
      queries: { 'under way': `sum(${P}calls_in_flight)`, allowed: `sum(${P}calls_limit)` },
    },
    {
      title: 'Gallery',
      unit: 'none',
      queries: {
        'photos, {{pod}}': `max by (pod) (${P}gallery_size)`,
        'left out, {{reason}}': `max by (reason) (${P}gallery_skipped)`,
      },
    },
    { title: 'Engine in use', unit: 'none', queries: { '{{runtime}} {{model}}': `count by (runtime, model) (${P}engine_info)` } },
  ],
  Processes: [
    {
      title: 'Event loop lag, p99',
      unit: 's',
      queries: { '{{service}}': `max by (service) (${P}nodejs_eventloop_lag_p99_seconds)` },
    },
    { title: 'CPU', unit: 'none', queries: { '{{service}}': rate('process_cpu_seconds_total', 'service') } },
    {
      title: 'Memory',
      unit: 'bytes',
      queries: { '{{service}} {{pod}}': `max by (service, pod) (${P}process_resident_memory_bytes)` },
    },
    {
      title: 'Connections to MySQL',
      unit: 'none',
      queries: {
        'busy, {{service}}': `sum by (service) (${P}mysql_connections_busy)`,
        'waiting, {{service}}': `sum by (service) (${P}mysql_waiting)`,
      },
    },
    {
      title: 'Queue connections',
      unit: 'none',
      queries: { 'processors to nsqds': `sum(${P}nsqd_connections)`, 'receivers to theirs': `sum(${P}nsqd_connected)` },
    },
    { title: 'Pages that follow', unit: 'none', queries: { viewers: `sum(${P}viewers)` } },
  ],
};

const DATASOURCE = { type: 'prometheus', uid: '$datasource' };
const [COLUMNS, WIDTH, HEIGHT] = [3, 8, 8];

const CUSTOM = { fillOpacity: 10, showPoints: VisibilityMode.Never } satisfies GraphFieldConfig;
const OPTIONS = {
  legend: { displayMode: LegendDisplayMode.List, placement: 'bottom', showLegend: true, calcs: [] },
  tooltip: { mode: TooltipDisplayMode.Multi, sort: SortOrder.Descending },
} satisfies Options;

function panelOf({ title, unit, queries, note }: Figure, id: number, x: number, y: number): Panel {
  return {
    id,
    type: 'timeseries',
    title,
    ...(note !== undefined && { description: note }),
    datasource: DATASOURCE,
    gridPos: { x, y, w: WIDTH, h: HEIGHT },
    fieldConfig: { defaults: { unit, min: 0, custom: CUSTOM }, overrides: [] },
    options: OPTIONS,
    targets: Object.entries(queries).map(([legendFormat, expr], index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATASOURCE,
      expr,
      legendFormat,
    })),
  };
}

/** The dashboard, as Grafana imports it. */
export function dashboard(): Dashboard & { panels: (Panel | RowPanel)[] } {
  const panels: (Panel | RowPanel)[] = [];
  let y = 0;
  for (const [title, row] of Object.entries(ROWS)) {
    panels.push({ id: panels.length + 1, type: 'row', title, collapsed: false, gridPos: { x: 0, y, w: 24, h: 1 }, panels: [] });
    y += 1;
    for (const [index, panel] of row.entries()) {
      const place = [(index % COLUMNS) * WIDTH, y + Math.floor(index / COLUMNS) * HEIGHT] as const;
      panels.push(panelOf(panel, panels.length + 1, ...place));
    }
    y += Math.ceil(row.length / COLUMNS) * HEIGHT;
  }
  return {
    uid: 'kube-face',
    title: 'kube-face',
    tags: ['kube-face'],
    schemaVersion: 41, // Grafana 12's; later ones bring it forward
    editable: true,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    templating: { list: [{ name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Data source' }] },
    annotations: { list: [] },
    panels,
  };
}
