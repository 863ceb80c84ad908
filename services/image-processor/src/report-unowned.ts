import type { Logger } from '@kube-face/shared-lib/logger';

const MAX_NAMES = 10_000;

/**
 * Tells of known photos that no person owns: each once in the log, until somebody owned it in between, since in a small gallery
 * every answer names it.
 */
export function createUnownedReport({ count, log }: { count: () => void; log: Logger }) {
  const reported = new Set<string>();

  return function reportUnowned(known: readonly string[], isOwned: (imageName: string) => boolean): void {
    const unowned = known.filter((imageName) => !isOwned(imageName));
    for (const imageName of known) if (isOwned(imageName)) reported.delete(imageName);
    if (unowned.length === 0) return;
    count();
    const fresh = unowned.filter((imageName) => !reported.has(imageName));
    if (fresh.length === 0) return;
    if (reported.size + fresh.length > MAX_NAMES) reported.clear();
    for (const imageName of fresh) reported.add(imageName);
    log.warn({ imageNames: fresh }, 'known photos that no person owns: enrol them or remove them');
  };
}
