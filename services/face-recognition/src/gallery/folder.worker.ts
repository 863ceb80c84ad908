import { type FSWatcher, mkdirSync, readdirSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import type { FolderMessage, FolderOrder } from './folder-watch.ts';
import { isPhotoName, stampOf } from './photo-stamp.ts';

/**
 * Looks at the folder again and again and reports what differs from last time. Network file systems tell nobody of changes,
 * so it looks by itself; where the system does tell, it looks at once. A thread of its own, because looking at many files
 * blocks (10,000 take some 30 ms, a volume that hangs takes all day).
 */
if (!parentPort) throw new Error('this file is a worker thread');
const port = parentPort;
const { folder, pollMs } = workerData as { folder: string; pollMs: number };

const SETTLE_MS = 100;
// After a look it rests for so many times as long, so that a folder of a million photos does not keep a core busy; but not for
// ever after one that hung.
const REST_FACTOR = 4;
const MAX_REST_MS = 15_000;
const seen = new Map<string, string>();
let isFirst = true;
let trouble = '';
let watcher: FSWatcher | undefined;
let watchedInode: bigint | undefined;
let timer: NodeJS.Timeout | undefined;

function list(): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(folder)) {
    const stamp = isPhotoName(name) ? stampIn(folder, name) : undefined;
    if (stamp !== undefined) found.set(name, stamp);
  }
  return found;
}

/** Undefined where it is no file. One that cannot be looked at now (a link in circles, a server that is away) is what it was. */
function stampIn(parent: string, name: string): string | undefined {
  try {
    const stat = statSync(join(parent, name), { bigint: true, throwIfNoEntry: false });
    return stat?.isFile() ? stampOf(stat) : undefined;
  } catch {
    return seen.get(name);
  }
}

function listOrCreate(): Map<string, string> {
  try {
    return list();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    mkdirSync(folder, { recursive: true });
    return list();
  }
}

/** Follows the folder to wherever it stands now: it may have been made anew, or mounted over. */
function rewatch(): void {
  const { ino } = statSync(folder, { bigint: true });
  if (watcher && ino === watchedInode) return;
  watcher?.close();
  watchedInode = ino;
  try {
    watcher = watch(folder, { persistent: false }, () => lookIn(SETTLE_MS));
    watcher.on('error', () => {
      watcher?.close();
      watcher = undefined;
    });
  } catch {
    watcher = undefined; // no more watches to be had: looking every so often is enough
  }
}

function look(): void {
  const startedAt = performance.now();
  try {
    rewatchOnceThere();
    const found = listOrCreate();
    const changed = [...found].filter(([name, stamp]) => seen.get(name) !== stamp);
    const removed = [...seen.keys()].filter((name) => !found.has(name));
    for (const name of removed) seen.delete(name);
    for (const [name, stamp] of changed) seen.set(name, stamp);
    if (trouble) send({ type: 'well' });
    trouble = '';
    if (isFirst || changed.length > 0 || removed.length > 0) send({ type: 'change', changed, removed });
    isFirst = false;
  } catch (error) {
    // What was seen stays: a volume that is away is no reason to forget everybody.
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    if (code !== trouble) send({ type: 'trouble', code });
    trouble = code;
  }
  const endedAt = performance.now();
  restUntil = endedAt + Math.min(MAX_REST_MS, (endedAt - startedAt) * REST_FACTOR);
  lookIn(pollMs);
}

function rewatchOnceThere(): void {
  try {
    rewatch();
  } catch {
    watcher?.close();
    watcher = undefined;
  }
}

let restUntil = 0;
let dueAt = Number.POSITIVE_INFINITY;
function lookIn(ms: number): void {
  const now = performance.now();
  const at = Math.max(now + ms, restUntil);
  // An event only ever brings the next look nearer, so that steady writing does not put it off.
  if (timer && at >= dueAt) return;
  clearTimeout(timer);
  dueAt = at;
  timer = setTimeout(() => {
    timer = undefined;
    dueAt = Number.POSITIVE_INFINITY;
    look();
  }, at - now);
}

function send(message: FolderMessage): void {
  port.postMessage(message);
}

port.on('message', (order: FolderOrder) => {
  for (const name of order.forget) seen.delete(name);
  lookIn(0);
});

look();
