import { ImageStatus } from '@kube-face/shared-lib/image-status';
import type { Logger } from '@kube-face/shared-lib/logger';
import { isDatabaseAway } from '@kube-face/shared-lib/mysql';
import { parseTraceparent, type StartSpan, spanOfMany, untraced } from '@kube-face/shared-lib/tracing';
import { type ImageWriter, type NewImage, type SavedImage, UndecidedError } from './image-writer.ts';

export type SubmittedImage = SavedImage & { isQueued: boolean };

export type GroupCommit = {
  /**
   * Saves the photos and queues the new ones; resolves once the rows are durable and nsqd has acknowledged the ids, or has not
   * (`isQueued` false: the redeemer queues them). Saves all or none: throws what the writer throws. With a token of its own a
   * submission finds what it saved before under that token.
   */
  submit(images: readonly NewImage[], token?: Buffer): Promise<SubmittedImage[]>;
  /** Resolves when nothing is under way any more. */
  idle(): Promise<void>;
};

export type GroupCommitDependencies = {
  writer: ImageWriter;
  publish: (ids: readonly number[]) => Promise<void>;
  /** Told that nsqd has acknowledged every new photo of a batch. */
  onQueued: (queued: { batch: Buffer; count: number }) => void;
  newToken: () => Buffer;
  tracer?: StartSpan;
  log: Logger;
  onGroup?: (group: { submissions: number; images: number }) => void;
};

type Submission = {
  images: readonly NewImage[];
  token: Buffer | undefined;
  resolve: (images: SubmittedImage[]) => void;
  reject: (error: unknown) => void;
};

const SAVE = { kind: 'client', attributes: { 'db.system.name': 'mysql' } } as const;
const PUBLISH = { kind: 'producer', attributes: { 'messaging.system': 'nsq' } } as const;

const MAX_GROUP = 10_000;
// Who comes after a slow group (a large batch, a database that hangs) does not wait for it.
const SLOW_MS = 50;
const LARGE = 1_000; // images; slow for certain
const MAX_SIDE_BY_SIDE = 4;

/**
 * Commits together what arrives while the group before is being written: one INSERT and one MPUB for all of it. On an idle
 * system a submission is a group of its own and starts at once.
 */
export function createGroupCommit(dependencies: GroupCommitDependencies): GroupCommit {
  const { writer, publish, onQueued, newToken, tracer = untraced, log, onGroup = () => {} } = dependencies;
  const waiting: Submission[] = [];
  const underWay = new Set<Promise<void>>();
  let writing = 0;
  let slow = 0;

  function takeGroup(): Submission[] {
    const first = waiting.shift();
    if (!first) return [];
    const group = [first];
    if (first.token) return group; // its token names its rows alone
    let size = first.images.length;
    for (let next = waiting[0]; next && !next.token && size + next.images.length <= MAX_GROUP; next = waiting[0]) {
      group.push(next);
      size += next.images.length;
      waiting.shift();
    }
    return group;
  }

  function pump(): void {
    while (waiting.length > 0 && writing <= slow && writing < MAX_SIDE_BY_SIDE) {
      const work = commit(takeGroup()).finally(() => underWay.delete(work));
      underWay.add(work);
    }
  }

  /** Counts a group that is being written, and lets the next begin when this one is done or slow. */
  async function counted<T>(images: number, write: () => Promise<T>): Promise<T> {
    writing += 1;
    let isSlow = false;
    const timer = setTimeout(
      () => {
        isSlow = true;
        slow += 1;
        pump();
      },
      images < LARGE ? SLOW_MS : 0,
    );
    try {
      return await write();
    } finally {
      clearTimeout(timer);
      writing -= 1;
      if (isSlow) slow -= 1;
      pump();
    }
  }

  async function commit(group: Submission[]): Promise<void> {
    const { images, outcomesOf } = merge(group);
    onGroup({ submissions: group.length, images: images.length });
    const batch = group[0]?.token ?? newToken();
    const traces = new Set(images.flatMap(({ traceParent }) => traceParent ?? []));
    let saved: SavedImage[];
    try {
      saved = await spanOfMany(tracer, traces, 'save images', SAVE, () =>
        counted(images.length, () => writer.save(images, batch)),
      );
    } catch (error) {
      if (group.length === 1 || error instanceof UndecidedError || isDatabaseAway(error)) {
        for (const { reject } of group) reject(error);
        return;
      }
      // One of them is at fault; each learns of its own fault only.
      log.debug({ error, submissions: group.length }, 'a group failed; its submissions are saved one by one');
      await Promise.all(group.map((one) => commit([one])));
      return;
    }
    const ids = saved.flatMap((image) => (image.isNew ? image.id : []));
    tell(images, saved);
    const isQueued = await queue(ids, batch, traces);
    for (const [index, submission] of group.entries()) {
      submission.resolve(outcomesOf(index, saved, isQueued));
    }
  }

  /** For whoever follows one photo through the logs. */
  function tell(images: readonly NewImage[], saved: readonly SavedImage[]): void {
    if (!log.isLevelEnabled('debug')) return;
    for (const [index, { id, isNew }] of saved.entries()) {
      const traceId = parseTraceparent(images[index]?.traceParent)?.traceId;
      if (isNew) log.debug({ id, traceId }, 'photo saved');
    }
  }

  async function queue(ids: number[], batch: Buffer, traces: ReadonlySet<string>): Promise<boolean> {
    if (ids.length === 0) return true;
    try {
      await spanOfMany(tracer, traces, 'publish images', PUBLISH, () => publish(ids));
    } catch (error) {
      log.warn({ error, images: ids.length }, 'saved but not queued; the redeemer queues them');
      return false;
    }
    onQueued({ batch, count: ids.length });
    return true;
  }

  return {
    submit(images, token) {
      return new Promise((resolve, reject) => {
        waiting.push({ images, token, resolve, reject });
        if (waiting.length === 1) setImmediate(pump); // what arrived in the same turn comes along
      });
    },
    async idle() {
      while (waiting.length > 0 || underWay.size > 0) {
        await Promise.all(underWay);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

/** The photos of a group, each path and each content once; who comes second gets the first one's row, as not new. */
function merge(group: readonly Submission[]) {
  const images: NewImage[] = [];
  const paths = new Map<string, number>();
  const hashes = new Map<string, number>();
  const places = group.map((submission) =>
    submission.images.map((image) => {
      const hash = image.sha256?.toString('latin1');
      const known = paths.get(image.path) ?? (hash === undefined ? undefined : hashes.get(hash));
      if (known !== undefined) return { at: known, isFirst: false };
      const at = images.push(image) - 1;
      paths.set(image.path, at);
      if (hash !== undefined) hashes.set(hash, at);
      return { at, isFirst: true };
    }),
  );

  function outcomesOf(index: number, saved: readonly SavedImage[], isQueued: boolean): SubmittedImage[] {
    return (places[index] ?? []).map(({ at, isFirst }): SubmittedImage => {
      const image = saved[at] as SavedImage;
      if (!image.isNew) return image;
      if (isFirst) return { ...image, isQueued };
      return { id: image.id, isNew: false, path: images[at]?.path ?? '', status: ImageStatus.Pending, isQueued };
    });
  }

  return { images, outcomesOf };
}
