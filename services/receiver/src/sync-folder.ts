import { open } from 'node:fs/promises';

/** Makes renames in a folder durable. A file system that cannot is taken as it is. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  try {
    await handle?.sync();
  } catch {
    // network file systems refuse
  } finally {
    await handle?.close();
  }
}
