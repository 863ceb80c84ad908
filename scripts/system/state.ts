import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const CHECKOUT = join(import.meta.dirname, '../..');
// A test has a folder of its own beside what the developer keeps.
const DATA = join(CHECKOUT, '.data', process.env.KUBE_FACE_STATE ?? '.');

/** Everything that `npm start` keeps; without the folder it begins anew. */
export const STATE = {
  data: DATA,
  knownPeople: join(DATA, 'known_people'),
  unknownPeople: join(DATA, 'unknown_people'),
  mysql: join(DATA, 'mysql'),
  nsqd: join(DATA, 'nsqd'),
  programs: join(CHECKOUT, '.data/bin'),
  pids: join(DATA, 'run'),
  passwordFile: join(DATA, 'password'),
  rootPasswordFile: join(DATA, 'root_password'),
  logOf: (name: string) => join(DATA, 'logs', `${name}.log`),
} as const;

export async function makeFolders(): Promise<void> {
  for (const folder of [STATE.knownPeople, STATE.unknownPeople]) await mkdir(folder, { recursive: true });
}

/** A password of the database: random, made once, readable by its owner alone. */
export async function keptPassword(file = STATE.passwordFile): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const password = randomBytes(18).toString('base64url');
  await writeFile(file, `${password}\n`, { mode: 0o600, flag: 'wx' });
  return password;
}
