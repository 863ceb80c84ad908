import type { Stats } from 'node:fs';
import { lstat, opendir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@kube-face/shared-lib/logger';
import type { Database, RowDataPacket } from '@kube-face/shared-lib/mysql';
import { isTemporaryName, isUploadName, uploadPath } from './photo-names.ts';

export type SweepDependencies = {
  database: Pick<Database, 'query'>;
  knownPeople: string;
  unknownPeople: string;
  log: Logger;
  now?: () => number;
};

// Whoever writes a file names it in a row, or takes it away, within minutes, be it another receiver.
const STALE_MS = 3_600_000;
const CHUNK = 500;
// A crash leaves what was under way. So many more are no leftovers: the database has lost rows, or is not this folder's.
const MAX_UNNAMED = 100;

const NAMED = 'select path from images where path_bytes in (?)';

/**
 * Removes what a receiver left behind that died while it wrote: temporary files, and uploaded photos without a row, which nobody
 * could erase any more. Only files under names that we give, an hour after their last change; several receivers may do it at once.
 */
export function createSweepLeftovers({ database, knownPeople, unknownPeople, log, now = Date.now }: SweepDependencies) {
  async function isStale(file: string): Promise<boolean> {
    const found = await lstat(file).catch((error: NodeJS.ErrnoException): Stats | undefined => {
      if (error.code === 'ENOENT') return undefined; // another receiver was quicker
      throw error;
    });
    return found?.isFile() === true && now() - Math.max(found.mtimeMs, found.ctimeMs) >= STALE_MS;
  }

  async function* namesIn(folder: string, isOurs: (name: string) => boolean, signal: AbortSignal): AsyncGenerator<string[]> {
    let names: string[] = [];
    for await (const { name } of await opendir(folder, { bufferSize: CHUNK })) {
      if (signal.aborted) return;
      if (isOurs(name)) names.push(name);
      if (names.length === CHUNK) {
        yield names;
        names = [];
      }
    }
    if (names.length > 0) yield names;
  }

  async function sweepTemporary(folder: string, signal: AbortSignal): Promise<void> {
    for await (const names of namesIn(folder, isTemporaryName, signal)) {
      for (const file of names.map((name) => join(folder, name))) {
        if (!(await isStale(file))) continue;
        await rm(file, { force: true });
        log.info({ file }, 'removed what an unfinished upload left behind');
      }
    }
  }

  /** Those that no row names: as the upload did, or as somebody may have posted the file by hand. */
  async function unnamed(names: readonly string[]): Promise<string[]> {
    const spellings = (name: string) => [uploadPath(name), name, `./${name}`, join(unknownPeople, name)];
    const rows = await database.query<RowDataPacket[]>(NAMED, [names.flatMap(spellings).map((path) => Buffer.from(path))]);
    const posted = new Set(rows.map(({ path }) => path));
    return names.filter((name) => !spellings(name).some((path) => posted.has(path)));
  }

  async function sweepUploads(signal: AbortSignal): Promise<void> {
    const stale: string[] = [];
    for await (const names of namesIn(unknownPeople, isUploadName, signal)) {
      for (const name of await unnamed(names)) {
        const file = join(unknownPeople, name);
        if (await isStale(file)) stale.push(file);
      }
      if (stale.length > MAX_UNNAMED) {
        return log.warn(
          { folder: unknownPeople, atLeast: stale.length },
          'too many uploaded photos have no row; none is removed',
        );
      }
    }
    if (signal.aborted) return; // there may be more than were seen
    for (const file of stale) {
      await rm(file, { force: true });
      log.info({ file }, 'removed an uploaded photo that has no row');
    }
  }

  /** Goes through the folders once; false: then there is nothing more to do. Throws where a folder or the database is away. */
  return async function sweepLeftovers(signal: AbortSignal): Promise<false> {
    for (const folder of [knownPeople, unknownPeople]) await sweepTemporary(folder, signal);
    await sweepUploads(signal);
    return false;
  };
}
