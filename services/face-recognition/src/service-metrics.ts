import { Counter, Gauge, Histogram, LATENCY_BUCKETS, METRIC_PREFIX, type Registry } from '@kube-face/shared-lib/metrics';
import type { Admission } from './admission.ts';
import type { EnginePool } from './engine/engine.ts';
import type { Gallery } from './gallery/gallery.ts';
import { type LoadedPhoto, SKIP_REASONS } from './gallery/known-photo.ts';
import type { IdentifyResult } from './identify-photo.ts';

export type ServiceMetrics = ReturnType<typeof createServiceMetrics>;

/** The service's figures; those of the gallery and the engine are read when somebody looks. */
export function createServiceMetrics(registry: Registry) {
  const registers = [registry];
  const identifySeconds = new Histogram({
    name: `${METRIC_PREFIX}identify_seconds`,
    help: 'Time from a call of Identify to its answer, by how it ended',
    labelNames: ['outcome'],
    buckets: LATENCY_BUCKETS,
    registers,
  });
  const stepSeconds = new Histogram({
    name: `${METRIC_PREFIX}engine_step_seconds`,
    help: 'Time of one step of a photo that was identified',
    labelNames: ['step'],
    buckets: LATENCY_BUCKETS,
    registers,
  });
  const loadedPhotos = new Counter({
    name: `${METRIC_PREFIX}gallery_loaded_photos_total`,
    help: 'Known photos that were looked at, by where their descriptor came from',
    labelNames: ['source'],
    registers,
  });

  /** A gauge whose values are read when it is collected. */
  function gauge<L extends string>(
    name: string,
    help: string,
    labelNames: L[],
    collect: (set: (value: number, labels?: Partial<Record<L, string>>) => void) => void,
  ): void {
    new Gauge({
      name: METRIC_PREFIX + name,
      help,
      labelNames,
      registers,
      collect() {
        collect((value, labels) => (labels ? this.set(labels, value) : this.set(value)));
      },
    });
  }

  return {
    identified(result: IdentifyResult | 'unavailable' | 'cancelled', seconds: number): void {
      identifySeconds.observe({ outcome: outcomeLabel(result) }, seconds);
      if (typeof result === 'string' || !('identified' in result)) return;
      for (const [step, ms] of Object.entries(result.identified.timings)) stepSeconds.observe({ step }, ms / 1_000);
    },
    loaded: (source: LoadedPhoto['source'] | 'index') => loadedPhotos.inc({ source }),
    watchEngine(engine: EnginePool, admission: Admission): void {
      gauge('engine_info', 'The engine in use', ['runtime', 'model'], (set) =>
        set(1, { runtime: engine.runtime, model: engine.model.name }),
      );
      gauge('engine_workers', 'Photos that can be worked on side by side', [], (set) => set(engine.workers));
      gauge('engine_workers_busy', 'Workers that have a photo in hand', [], (set) => set(engine.busy));
      gauge('engine_queue_photos', 'Photos that wait for a worker', [], (set) => set(engine.queued + admission.waiting));
    },
    watchGallery(gallery: Pick<Gallery, 'size' | 'version' | 'counts'>): void {
      gauge('gallery_size', 'Known photos with a usable face', [], (set) => set(gallery.size));
      gauge('gallery_version', 'Counts up with every change of the gallery', [], (set) => set(gallery.version));
      gauge('gallery_skipped', 'Known photos that are not in the gallery', ['reason'], (set) => {
        const { skipped } = gallery.counts();
        for (const reason of SKIP_REASONS) set(skipped.get(reason) ?? 0, { reason });
      });
      gauge('gallery_several_faces', 'Known photos with several faces, of which the largest counts', [], (set) =>
        set(gallery.counts().severalFaces),
      );
    },
  };
}

function outcomeLabel(result: IdentifyResult | 'unavailable' | 'cancelled'): string {
  if (typeof result === 'string') return result;
  if ('identified' in result) return result.identified.outcome;
  return 'busy' in result ? 'busy' : result.failed.outcome;
}
