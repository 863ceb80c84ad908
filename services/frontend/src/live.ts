import type { Logger } from '@kube-face/shared-lib/logger';
import { isDatabaseAway } from '@kube-face/shared-lib/mysql';
import { type Changes, createSight, MAX_ROWS, type Sight, takeChanges, type View } from './changes.ts';
import type { CountSource } from './counts.ts';
import { renderSummary } from './pages/summary.ts';
import type { PhotoStore } from './photo-store.ts';

/** A page that follows its table. */
export type Viewer = {
  readonly view: View;
  onChanges(changes: Changes): void;
  onSummary(html: string): void;
  onDatabase(isAway: boolean): void;
};

export type Live = ReturnType<typeof createLive>;

const EVERY_MS = 1_000;
const NEWEST = MAX_ROWS; // so that a flood leaves no gap: whatever a page may show is among them
const FINISHED_SECONDS = 5;
const FINISHED = 300;
const WATCHED = 2_000; // rows looked up at a time; where pages show more, they take turns

export type Dependencies = {
  photos: Pick<PhotoStore, 'newest' | 'justFinished' | 'byIds'>;
  counts: Pick<CountSource, 'latest'>;
  log: Logger;
};

/**
 * Looks at the database once a second for all pages together, and only while there are any: at the newest photos, at those just
 * finished, and at whatever the pages show. So a photo that changes on somebody's screen is seen whatever happened to it, and
 * more viewers cost more only where they look at different photos.
 */
export function createLive({ photos, counts, log }: Dependencies) {
  const viewers = new Set<Viewer>();
  let timer: NodeJS.Timeout | undefined;
  let looking = false;
  let turn = 0;
  let toldSummary: string | undefined;
  let isAway = false;

  /** The photos that pages show, at most WATCHED of them, the others the next time. */
  function watchedIds(): number[] {
    const ids = [...new Set([...viewers].flatMap(({ view }) => [...view.rows.keys()]))];
    if (ids.length <= WATCHED) return ids;
    turn = (turn + WATCHED) % ids.length;
    return [...ids.slice(turn), ...ids.slice(0, turn)].slice(0, WATCHED);
  }

  async function see(ids: readonly number[]): Promise<Sight> {
    const [newest, finished, watched] = await Promise.all([
      photos.newest(NEWEST),
      photos.justFinished(FINISHED_SECONDS, FINISHED),
      photos.byIds(ids),
    ]);
    const fresh = new Map([...finished, ...newest].map((photo) => [photo.id, photo]));
    return createSight(ids, watched, [...fresh.values()]);
  }

  /** The counts and the chart as a page shows them; undefined before the first. */
  function summary(): string | undefined {
    const counted = counts.latest();
    return counted && renderSummary(counted).toString();
  }

  function tellDatabase(away: boolean): void {
    if (away === isAway) return;
    isAway = away;
    for (const viewer of viewers) viewer.onDatabase(away);
  }

  async function look(): Promise<void> {
    const sight = await see(watchedIds());
    tellDatabase(false);
    for (const viewer of viewers) {
      const changes = takeChanges(viewer.view, sight);
      if (changes.rows.length > 0 || changes.gone.length > 0) viewer.onChanges(changes);
    }
    const html = summary();
    if (html !== undefined && html !== toldSummary) {
      toldSummary = html;
      for (const viewer of viewers) viewer.onSummary(html);
    }
  }

  async function tick(): Promise<void> {
    looking = true;
    try {
      await look();
    } catch (error) {
      if (isDatabaseAway(error)) tellDatabase(true);
      else log.error({ error }, 'could not look for changes');
    }
    looking = false;
    if (viewers.size > 0) timer = setTimeout(() => void tick(), EVERY_MS);
  }

  return {
    /** Follows the table for a page until the returned function is called. */
    join(viewer: Viewer): () => void {
      viewers.add(viewer);
      if (isAway) viewer.onDatabase(true);
      if (viewers.size === 1 && !looking) {
        clearTimeout(timer);
        void tick();
      }
      return () => {
        viewers.delete(viewer);
        if (viewers.size === 0) clearTimeout(timer);
      };
    },
    /** The same for a page that asks by itself. */
    async changesFor(view: View): Promise<Changes> {
      return takeChanges(view, await see([...view.rows.keys()]));
    },
    summary,
    close(): void {
      clearTimeout(timer);
      viewers.clear();
    },
  };
}
