// `npm start`: the whole system on this machine, supervised until Ctrl-C. What it keeps lies in .data/.
import { parseArgs } from 'node:util';
import { withEnvFile } from '@kube-face/shared-lib/env';
import { runDemo } from './demo/demo.ts';
import { say } from './lib/progress.mjs';
import { CommandError } from './lib/run.mjs';
import { MissingProgramError } from './parts/missing.ts';
import { createPidFiles } from './parts/pid-files.ts';
import { bringUp } from './system/bring-up.ts';
import { AlreadyRunningError, claimCheckout, releaseCheckout } from './system/claim-checkout.ts';
import { CHECKOUT, STATE } from './system/state.ts';
import { stopRequest } from './system/stop-request.ts';
import { createSystem, NotReadyError } from './system/system.ts';

const { values } = parseArgs({ options: { demo: { type: 'boolean', default: true } }, allowNegative: true });
const env = withEnvFile(process.env);
const stopping = stopRequest(process);
const pidFiles = createPidFiles(STATE.pids, CHECKOUT);
const system = createSystem(pidFiles, stopping);
process.stdout.on('error', () => {}); // whoever read our lines may be gone; parts are stopped in order all the same

try {
  await claimCheckout(pidFiles);
} catch (error) {
  if (!(error instanceof AlreadyRunningError)) throw error;
  say(error.message);
  process.exit(1);
}
try {
  const ports = await bringUp(system, env, stopping);
  const urls = { page: `http://127.0.0.1:${ports.frontend}/`, receiver: `http://127.0.0.1:${ports.receiver}` };
  say('ready');
  if (values.demo) {
    await runDemo({ receiverUrl: urls.receiver, token: env.API_TOKEN, unknownPeople: STATE.unknownPeople, signal: stopping });
  }
  say(`the page      ${urls.page}`);
  say(`post a photo  curl -d '{"path":"a.jpg"}' ${urls.receiver}/image/post   (a.jpg in ${STATE.unknownPeople})`);
  say(`the API       ${urls.receiver}/docs`);
  say('Ctrl-C stops everything');
  if (!stopping.aborted) await new Promise((resolve) => stopping.addEventListener('abort', resolve));
} catch (error) {
  if (!stopping.aborted) {
    const isForTheUser = error instanceof MissingProgramError || error instanceof CommandError || error instanceof NotReadyError;
    say(isForTheUser ? error.message : String(error instanceof Error ? error.stack : error));
    process.exitCode = 1;
  }
}
say('stopping ...');
await system.stop();
await releaseCheckout(pidFiles);
say('stopped');
