import { mkdir } from 'node:fs/promises';
import { httpAnswers } from './answers.ts';
import type { NsqPrograms } from './nsq-program.ts';
import type { Part } from './part.ts';

export type NsqPorts = { nsqdTcp: number; nsqdHttp: number; lookupTcp: number; lookupHttp: number };

const local = (port: number) => `127.0.0.1:${port}`;

/** An nsqlookupd on 127.0.0.1; it keeps nothing on disk. */
export function nsqlookupdPart(programs: NsqPrograms, ports: NsqPorts, folder: string): Part {
  return {
    name: 'nsqlookupd',
    command: programs.nsqlookupd,
    args: [
      `--tcp-address=${local(ports.lookupTcp)}`,
      `--http-address=${local(ports.lookupHttp)}`,
      '--broadcast-address=127.0.0.1',
    ],
    cwd: folder,
    env: process.env,
    isReady: () => httpAnswers(`http://${local(ports.lookupHttp)}/ping`),
    graceMs: 10_000,
  };
}

/** An nsqd on 127.0.0.1 that keeps its messages in `folder`. */
export async function nsqdPart(programs: NsqPrograms, ports: NsqPorts, folder: string): Promise<Part> {
  await mkdir(folder, { recursive: true });
  return {
    name: 'nsqd',
    command: programs.nsqd,
    args: [
      `--data-path=${folder}`,
      `--tcp-address=${local(ports.nsqdTcp)}`,
      `--http-address=${local(ports.nsqdHttp)}`,
      `--lookupd-tcp-address=${local(ports.lookupTcp)}`,
      '--broadcast-address=127.0.0.1', // otherwise the machine's name, which need not resolve
    ],
    cwd: folder,
    env: process.env,
    isReady: () => httpAnswers(`http://${local(ports.nsqdHttp)}/ping`),
    graceMs: 10_000,
  };
}
