import { say } from '../lib/progress.mjs';
import { build, buildModels } from '../parts/tools.ts';
import { outsideParts, providePrograms } from './outside-parts.ts';
import { type SystemPorts, systemPorts } from './ports.ts';
import { redeemerPart, type ServiceName, servicePart } from './services.ts';
import { keptPassword, makeFolders } from './state.ts';
import type { System } from './system.ts';

/** Builds, starts everything in order, and resolves to the ports once all of it answers. */
export async function bringUp(system: System, env: NodeJS.ProcessEnv, stopping: AbortSignal): Promise<SystemPorts> {
  await makeFolders();
  // One waits for the processor, the other mostly for the network.
  const [programs] = await Promise.all([providePrograms(), build().then(buildModels)]);
  stopping.throwIfAborted();

  const { ports, moved } = await systemPorts(env);
  for (const [name, { wanted, port }] of Object.entries(moved)) say(`port ${wanted} is taken: ${inWords(name)} uses ${port}`);
  const account = { user: 'kube', password: await keptPassword() };
  const { mysql, nsq } = await outsideParts(programs, ports, account);
  const service = (name: ServiceName) => servicePart(name, { ports, account, env });
  const [recognition, processor] = [service('face-recognition'), service('image-processor')];
  const [receiver, frontend] = [service('receiver'), service('frontend')];
  stopping.throwIfAborted();

  // Stopped in the reverse order: who takes photos in goes first, then who works on them, then what they need.
  system.start(mysql);
  system.start(recognition); // takes longest to load, and needs nobody
  for (const part of nsq) {
    system.start(part);
    await system.ready(part); // an nsqd that does not find its nsqlookupd looks for it again after 15 s only
  }
  await system.ready(mysql);
  system.start(processor);
  system.start(receiver, frontend);
  await system.ready(recognition, processor, receiver, frontend);
  system.startRepeating(redeemerPart({ ports, account, env }));
  return ports;
}

/** `nsqdTcp` as `nsqd tcp`. */
const inWords = (name: string) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
