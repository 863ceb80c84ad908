import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { GENERATED } from '../generate.ts';
import { SERVICE_METRICS } from '../service-metrics.ts';
import { CHECKOUT } from '../system/state.ts';

test.each(Object.entries(GENERATED))('%s is as `npm run generate` writes it', (file, text) => {
  expect(readFileSync(join(CHECKOUT, file), 'utf8')).toBe(text());
});

const metrics = [...SERVICE_METRICS].flatMap(([service, all]) =>
  all.map((metric) => [`${service} ${metric.name}`, metric] as const),
);

test.each(metrics)('%s is named as Prometheus advises', (_id, { name, type, help, labels }) => {
  expect(name).toMatch(/^kube_face_[a-z]+(_[a-z]+)*$/);
  expect(name).not.toMatch(/_(ms|milliseconds|minutes|kb|mb)(_|$)/);
  expect(name.endsWith('_total')).toBe(type === 'counter');
  expect(help).toMatch(/^[A-Z0-9].{15,}/);
  expect(labels.length).toBeLessThanOrEqual(3);
});
