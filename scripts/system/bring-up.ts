import { say } from '../lib/progress.mjs';
import { MissingProgramError } from '../parts/missing.ts';
import { databaseStatements, mysqlPart } from '../parts/mysql.ts';
import { provideMysqlProgram } from '../parts/mysql-program.ts';
import { nsqdPart, nsqlookupdPart } from '../parts/nsq.ts';
import { provideNsqPrograms } from '../parts/nsq-program.ts';
import { build, buildModels } from '../parts/tools.ts';
import { type SystemPorts, systemPorts } from './ports.ts';
import { DATABASE, redeemerPart, type ServiceName, servicePart } from './services.ts';
import { keptPassword, makeFolders, STATE } from './state.ts';
import type { System } from './system.ts';

/** Builds, starts everything in order, and resolves to the ports once all of it answers. */
export async function bringUp(system: System, env: NodeJS.ProcessEnv, stopping: AbortSignal): Promise<SystemPorts> {
  await makeFolders();
  await build();
  stopping.throwIfAborted();
  await buildModels();
  stopping.throwIfAborted();
  const mysqlProgram = await provideMysqlProgram();
  const nsqPrograms = await provideNsqPrograms(STATE.programs);
  if (!mysqlProgram || !nsqPrograms) throw new MissingProgramError('...');
  stopping.throwIfAborted();

  const { ports, moved } = await systemPorts(env);
  for (const [name, { wanted, port }] of Object.entries(moved)) say(`port ${wanted} is taken: ${name} uses ${port}`);
  const account = { user: 'kube', password: await keptPassword() };
  const options = { ports, account, env };

  const mysql = await mysqlPart({
    program: mysqlProgram,
    folder: STATE.mysql,
    port: ports.mysql,
    init: databaseStatements(DATABASE, account),
  });
  const nsq = [nsqlookupdPart(nsqPrograms, ports, STATE.data), await nsqdPart(nsqPrograms, ports, STATE.nsqd)];
  stopping.throwIfAborted();
  system.start(mysql);
  // Stopped in the reverse order: who takes photos in goes first, then who works on them, then what they need.
  const service = (name: ServiceName) => servicePart(name, options);
  const [recognition, processor, receiver, frontend] = [
    service('face-recognition'),
    service('image-processor'),
    service('receiver'),
    service('frontend'),
  ];
  system.start(...nsq, recognition); // recognition takes longest to load, and needs nobody
  await system.ready(mysql, ...nsq);
  system.start(processor);
  system.start(receiver, frontend);
  await system.ready(recognition, processor, receiver, frontend);
  system.startRepeating(redeemerPart(options));
  return ports;
}
