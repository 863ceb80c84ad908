import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { tempFolder } from './temp-folder.ts';

/** Where photos lie, as a service's environment says it. */
export type PhotoFolders = { KNOWN_PEOPLE: string; UNKNOWN_PEOPLE: string };

/** Empty folders in `parent`, by default one that is gone with this process. */
export function makePhotoFolders(parent = tempFolder('photos')): PhotoFolders {
  const folders = { KNOWN_PEOPLE: join(parent, 'known_people'), UNKNOWN_PEOPLE: join(parent, 'unknown_people') };
  for (const folder of Object.values(folders)) mkdirSync(folder);
  return folders;
}
