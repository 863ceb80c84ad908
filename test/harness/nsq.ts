import { join } from 'node:path';
import { MissingProgramError } from '../../scripts/parts/missing.ts';
import { type NsqPorts, nsqdPart, nsqlookupdPart } from '../../scripts/parts/nsq.ts';
import { provideNsqPrograms } from '../../scripts/parts/nsq-program.ts';
import { freePort } from '../../scripts/parts/ports.ts';
import { STATE } from '../../scripts/system/state.ts';
import { type Running, run } from './running.ts';
import { removeFolder, tempFolder } from './temp-folder.ts';

export type Nsq = {
  nsqd: Running;
  nsqlookupd: Running;
  ports: NsqPorts;
  /** nsqd's messages on disk. */
  nsqdFolder: string;
  /** Where a service finds it. */
  env: { PRODUCER_ADDRESS: string; NSQD_HTTP_ADDRESS: string; NSQ_LOOKUP_ADDRESS: string };
  stop(): Promise<void>;
};

/** An nsqd with its nsqlookupd, for one test file: there is one topic, `images`, so files cannot share them. */
export async function startNsq(): Promise<Nsq> {
  const programs = await testNsqPrograms();
  const [nsqdTcp, nsqdHttp, lookupTcp, lookupHttp] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const ports = { nsqdTcp, nsqdHttp, lookupTcp, lookupHttp };
  const folder = tempFolder('nsq');
  const nsqlookupd = await run(nsqlookupdPart(programs, ports, folder));
  const nsqdFolder = join(folder, 'nsqd');
  const nsqd = await run(await nsqdPart(programs, ports, nsqdFolder));
  return {
    nsqd,
    nsqlookupd,
    ports,
    nsqdFolder,
    env: {
      PRODUCER_ADDRESS: `127.0.0.1:${nsqdTcp}`,
      NSQD_HTTP_ADDRESS: `127.0.0.1:${nsqdHttp}`,
      NSQ_LOOKUP_ADDRESS: `127.0.0.1:${lookupHttp}`,
    },
    async stop() {
      await nsqd.stop();
      await nsqlookupd.stop();
      removeFolder(folder);
    },
  };
}

/** The programs, built the first time; those that `npm start` built serve as well. */
export async function testNsqPrograms() {
  const programs = await provideNsqPrograms(STATE.programs);
  if (!programs) throw new MissingProgramError('the tests need nsqd and nsqlookupd, which could not be built: install Go');
  return programs;
}
