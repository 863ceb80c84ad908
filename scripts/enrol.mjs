// Plain JavaScript, without dependencies: whoever has Node.js 20 and the photos can enrol, from any machine.
import { openAsBlob } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const USAGE = `usage: scripts/enrol DIRECTORY [--url URL] [--json]

Enrols people from a folder that has one subfolder a person, named as the person is, with photos in it (JPEG, PNG, WebP).
Photos that a person has already are left as they are, so it may be run again.

  --url URL   the receiver; default RECEIVER_URL, or http://127.0.0.1:8000
  --json      the report as JSON

Where the receiver asks for a token, it is taken from API_TOKEN.
Ends with 0 where every photo is enrolled, with 1 where some were refused, with 2 where it could not work.
`;

const EXTENSIONS = new Set(['.jpg', '.jpeg', '.png', '.webp']);
const PHOTOS_OF_A_REQUEST = 10;
const AT_ONCE = 2;
const TRIES = 30;

/** @typedef {{ file: string; status: string; reason?: string }} PhotoReport */
/** @typedef {{ name: string; photos: PhotoReport[] }} PersonReport */
/** @typedef {{ code: string; message: string }} ErrorBody */
/** @typedef {{ error?: ErrorBody; images?: { status?: string; error?: ErrorBody }[] }} Answer */

class EnrolError extends Error {}

/** @param {string} directory @returns {Promise<{ name: string; files: string[] }[]>} */
async function findPeople(directory) {
  const entries = await readdir(directory, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name);
  return Promise.all(
    folders.toSorted().map(async (name) => {
      const files = (await readdir(join(directory, name))).toSorted();
      const photos = files.filter((file) => EXTENSIONS.has(extname(file).toLowerCase()));
      return { name, files: photos.map((file) => join(directory, name, file)) };
    }),
  );
}

/**
 * Posts some photos of one person; while the receiver says "later", later.
 * @param {string} url @param {string} name @param {string[]} files @returns {Promise<PhotoReport[]>}
 */
async function enrol(url, name, files) {
  for (let attempt = 1; ; attempt += 1) {
    const form = new FormData();
    form.append('name', name);
    for (const file of files) form.append('image', await openAsBlob(file), basename(file));
    const { API_TOKEN: token } = process.env;
    const headers = token ? { authorization: `Bearer ${token}` } : undefined;
    const response = await fetch(`${url}/people`, { method: 'POST', body: form, ...(headers && { headers }) }).catch((error) => {
      throw new EnrolError(`${url} does not answer: ${error.cause?.message ?? error.message}`);
    });
    const answer = /** @type {Answer | undefined} */ (await response.json().catch(() => undefined));
    const mayPass = response.status === 503 || response.status === 429;
    if (mayPass && attempt < TRIES) {
      await delay(Number(response.headers.get('retry-after') ?? 1) * 1_000);
      continue;
    }
    const images = answer?.images;
    if (!Array.isArray(images)) throw new EnrolError(answer?.error?.message ?? `the receiver answered ${response.status}`);
    return files.map((file, index) => {
      const { status, error } = images[index] ?? {};
      return error ? { file, status: 'refused', reason: `${error.code}: ${error.message}` } : { file, status: status ?? '' };
    });
  }
}

/** A bar on a terminal, a line now and then elsewhere. @param {number} total */
function createProgress(total) {
  const isTerminal = process.stderr.isTTY;
  let done = 0;
  let toldAt = 0;
  return (/** @type {number} */ more) => {
    done += more;
    if (isTerminal) {
      const width = 40;
      const filled = Math.round((width * done) / total);
      process.stderr.write(`\r[${'#'.repeat(filled)}${' '.repeat(width - filled)}] ${done}/${total} photos`);
      if (done === total) process.stderr.write('\n');
    } else if (done === total || Date.now() - toldAt > 5_000) {
      toldAt = Date.now();
      process.stderr.write(`${done}/${total} photos\n`);
    }
  };
}

/** @param {PersonReport[]} report */
function printReport(report) {
  const width = Math.max(6, ...report.map(({ name }) => name.length));
  const count = (/** @type {PhotoReport[]} */ photos, /** @type {string} */ status) =>
    String(photos.filter((photo) => photo.status === status).length).padStart(8);
  const line = (/** @type {string} */ name, /** @type {PhotoReport[]} */ photos) =>
    `${name.padEnd(width)} ${count(photos, 'enrolled')} ${count(photos, 'already_enrolled')} ${count(photos, 'refused')}`;
  console.log(`${'person'.padEnd(width)} enrolled  already  refused`);
  for (const { name, photos } of report) console.log(line(name, photos));
  console.log(
    line(
      'total',
      report.flatMap(({ photos }) => photos),
    ),
  );
  for (const { file, reason } of report.flatMap(({ photos }) => photos)) if (reason) console.log(`refused ${file}: ${reason}`);
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { url: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  const [directory] = positionals;
  if (values.help || directory === undefined || positionals.length > 1) {
    process.stderr.write(USAGE);
    return values.help ? 0 : 2;
  }
  const url = (values.url ?? process.env.RECEIVER_URL ?? 'http://127.0.0.1:8000').replace(/\/$/, '');
  const people = await findPeople(directory);
  const total = people.reduce((sum, { files }) => sum + files.length, 0);
  if (total === 0) throw new EnrolError(`${directory} has no subfolder with photos`);

  const progress = createProgress(total);
  /** @type {PersonReport[]} */
  const report = people.map(({ name }) => ({ name, photos: [] }));
  let next = 0;
  async function work() {
    for (let index = next++; index < people.length; index = next++) {
      const { name, files } = /** @type {{ name: string; files: string[] }} */ (people[index]);
      for (let at = 0; at < files.length; at += PHOTOS_OF_A_REQUEST) {
        const some = files.slice(at, at + PHOTOS_OF_A_REQUEST);
        report[index]?.photos.push(...(await enrol(url, name, some)));
        progress(some.length);
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (values.json) console.log(JSON.stringify(report, null, 2));
  else printReport(report);
  return report.some(({ photos }) => photos.some(({ status }) => status === 'refused')) ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`enrol  ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 2;
}
