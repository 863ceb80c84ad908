// node --conditions=source test/fuzz/fuzz.ts [--cases N] [--seed N]
//
// Asks a running receiver whatever its own description allows, and what it does not, and looks at every answer: no 500, nothing
// outside the description. MySQL and nsqd are real; face recognition is one that knows fake photos.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { databaseStatements } from '../../scripts/parts/mysql.ts';
import { startFakeGallery } from '../../services/receiver/test/fake-gallery.ts';
import { createDatabase } from '../../services/shared-lib/src/mysql.ts';
import { startMysql } from '../harness/mysql.ts';
import { startNsq } from '../harness/nsq.ts';
import { startService } from '../harness/service.ts';
import { removeFolder, tempFolder } from '../harness/temp-folder.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ENVIRONMENT = fileURLToPath(new URL('../../.data/fuzz', import.meta.url));
const OPERATIONS = 19;

const { values } = parseArgs({ options: { cases: { type: 'string', default: '2000' }, seed: { type: 'string', default: '1' } } });

function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string } = {},
): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.on('error', (error) => resolve({ code: -1, output: String(error) }));
    child.on('close', (code) => resolve({ code: code ?? -1, output }));
  });
}

/** The fuzzer, installed the first time; undefined where this machine cannot. */
async function installFuzzer(): Promise<string | undefined> {
  const program = join(ENVIRONMENT, 'bin', 'schemathesis');
  if (existsSync(program)) return program;
  await mkdir(ENVIRONMENT, { recursive: true });
  const steps: [string, string[]][] = [
    ['python3', ['-m', 'venv', ENVIRONMENT]],
    [join(ENVIRONMENT, 'bin', 'pip'), ['install', '--quiet', '--requirement', join(HERE, 'requirements.txt')]],
  ];
  for (const [command, args] of steps) {
    const { code, output } = await run(command, args);
    if (code !== 0) {
      console.error(`cannot install schemathesis: ${output.trim().split('\n').at(-1)}`);
      return undefined;
    }
  }
  return program;
}

async function startWorld() {
  const mysql = await startMysql();
  const nsq = await startNsq();
  const folder = tempFolder('fuzz');
  const [known, unknown] = [join(folder, 'known'), join(folder, 'unknown')];
  await Promise.all([known, unknown].map((one) => mkdir(one)));
  const gallery = await startFakeGallery(known);
  const account = { user: 'fuzz', password: 'fuzz' };
  const server = createDatabase(mysql.admin);
  for (const statement of databaseStatements('fuzz', account, '%')) await server.query(statement);
  await server.close();
  const receiver = await startService('receiver', {
    ...nsq.env,
    MYSQL_CONNECTION: mysql.admin.host,
    MYSQL_PORT: String(mysql.admin.port),
    MYSQL_DBNAME: 'fuzz',
    MYSQL_USERPASSWORD: 'fuzz:fuzz',
    GRPC_ADDRESS: gallery.address,
    KNOWN_PEOPLE: known,
    UNKNOWN_PEOPLE: unknown,
    DRAIN_MS: '0',
    LOG_LEVEL: 'warn',
  });
  return {
    receiver,
    async stop() {
      await receiver.stop();
      gallery.stop();
      await nsq.stop();
      await mysql.stop();
      removeFolder(folder);
    },
  };
}

const program = await installFuzzer();
if (program === undefined) process.exit(77); // as the customs are: could not be run

const world = await startWorld();
let code = 1;
try {
  // What a schema cannot say is not asked for: whether bytes are a photo, and how many bytes a text has in UTF-8.
  const args = ['--checks', 'all', '--exclude-checks', 'positive_data_acceptance,use_after_free,ensure_resource_availability'];
  const examples = String(Math.ceil(Number(values.cases) / OPERATIONS));
  const result = await run(
    program,
    ['run', `${world.receiver.url}/openapi.json`, ...args, '--max-examples', examples, '--seed', values.seed, '--no-color'],
    { cwd: tempFolder('schemathesis') },
  );
  console.log(result.output);
  const generated = Number(/(\d+) generated/.exec(result.output)?.[1] ?? 0);
  const faults = world.receiver
    .output()
    .split('\n')
    .filter((line) => line.includes('"level":"error"'));
  for (const line of faults) console.error(line);
  code = result.code === 0 && faults.length === 0 && generated >= Number(values.cases) ? 0 : 1;
  console.log(`${generated} cases, ${code === 0 ? 'nothing found' : 'something found'}`);
} finally {
  await world.stop();
}
process.exit(code);
