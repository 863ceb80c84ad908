import { expect, test } from 'vitest';
import { containersOf, type Peer, readManifests, workloadOf, workloadsOf } from './manifests.ts';

const manifests = readManifests();
const workloads = workloadsOf(manifests);
const policies = manifests.filter(({ kind }) => kind === 'NetworkPolicy');

const policyOf = (app: string) => policies.find(({ spec }) => spec.podSelector?.matchLabels.app === app);
const appsOf = ({ podSelector }: Peer): string[] =>
  podSelector.matchLabels
    ? [podSelector.matchLabels.app as string]
    : (podSelector.matchExpressions ?? []).flatMap(({ values }) => values);

/** `a → b:port` for every pair of pods that the rules of one direction let talk; `anywhere` where a rule names nobody. */
function arrows(direction: 'ingress' | 'egress'): string[] {
  return policies
    .flatMap(({ spec }) => {
      const app = spec.podSelector?.matchLabels.app as string;
      return (spec[direction] ?? []).flatMap((rule) => {
        const peers = (direction === 'ingress' ? rule.from : rule.to)?.flatMap(appsOf) ?? ['anywhere'];
        return peers.flatMap((peer) =>
          rule.ports.map(({ port }) => (direction === 'ingress' ? `${peer} → ${app}:${port}` : `${app} → ${peer}:${port}`)),
        );
      });
    })
    .sort();
}

const PICTURE = [
  'frontend → mysql:3306',
  'image-processor → face-recog:50051',
  'image-processor → mysql:3306',
  'image-processor → nsqlookup:4161',
  'image-processor → receiver:4150',
  'image-processor → receiver:4151',
  'receiver → face-recog:50051',
  'receiver → mysql:3306',
  'receiver → nsqlookup:4160',
  'redeemer → mysql:3306',
  'redeemer → nsqlookup:4161',
  'redeemer → receiver:4150',
  'redeemer → receiver:4151',
];

test('every pod is under a policy for both directions', () => {
  for (const { labels, name } of workloads)
    expect(policyOf(labels.app as string)?.spec.policyTypes, name).toEqual(['Ingress', 'Egress']);
  expect(policies).toHaveLength(workloads.length);
});

test('pods talk along the arrows of the picture, and both ends agree', () => {
  const inside = (arrow: string) => !arrow.includes('anywhere');
  expect(arrows('ingress').filter(inside)).toEqual(PICTURE);
  expect(arrows('egress').filter(inside)).toEqual(PICTURE);
});

test('from anywhere come clients, to two services, and whoever reads metrics', () => {
  expect(arrows('ingress').filter((arrow) => arrow.startsWith('anywhere'))).toEqual([
    'anywhere → face-recog:9102',
    'anywhere → frontend:8081',
    'anywhere → frontend:9103',
    'anywhere → image-processor:9101',
    'anywhere → receiver:8000',
    'anywhere → receiver:9100',
  ]);
});

test('to anywhere goes DNS alone, from whoever looks names up', () => {
  const open = arrows('egress').filter((arrow) => arrow.includes('→ anywhere'));
  expect(new Set(open)).toEqual(
    new Set(['frontend', 'image-processor', 'receiver', 'redeemer'].map((app) => `${app} → anywhere:53`)),
  );
});

test('a rule names only ports that its pods listen on', () => {
  for (const arrow of arrows('ingress')) {
    const [app, port] = (arrow.split(' → ')[1] as string).split(':');
    const ports = containersOf(workloadOf(workloads, app as string)).flatMap((container) => container.ports ?? []);
    expect(
      ports.map(({ containerPort }) => containerPort),
      arrow,
    ).toContain(Number(port));
  }
});
