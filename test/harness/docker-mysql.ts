import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mysqlAnswers } from '../../scripts/parts/answers.ts';
import type { Part } from '../../scripts/parts/part.ts';

type Options = { port: number; folder: string; init: readonly string[] };

/** The image mysql:9.7 in the local Docker, with its data in memory. It is gone with the process. */
export async function dockerMysqlPart({ port, folder, init }: Options): Promise<Part> {
  const initFile = join(folder, 'init.sql');
  await writeFile(initFile, init.map((statement) => `${statement};\n`).join(''), { mode: 0o644 });
  return {
    name: 'mysql:9.7',
    command: 'docker',
    args: [
      'run',
      '--rm',
      `--name=kube-face-test-${randomBytes(4).toString('hex')}`,
      `--env=MYSQL_ROOT_PASSWORD=${randomBytes(12).toString('hex')}`,
      `--volume=${initFile}:/docker-entrypoint-initdb.d/admin.sql:ro`,
      '--tmpfs=/var/lib/mysql',
      `--publish=127.0.0.1:${port}:3306`,
      'mysql:9.7',
    ],
    cwd: folder,
    env: process.env,
    isReady: () => mysqlAnswers(port),
    graceMs: 30_000,
  };
}
