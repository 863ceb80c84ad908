import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const ASK_MS = 2_000;
const AGAIN_MS = 50;

/** Whether a GET is answered with 200. */
export async function httpAnswers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ASK_MS) });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
}

/**
 * Whether a MySQL greets: its first packet is the handshake, which it sends once it serves, after its init file has run.
 *
 *   [length, 3 bytes][number 0][protocol 10] ...
 */
export function mysqlAnswers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (answers: boolean) => {
      socket.destroy();
      resolve(answers);
    };
    socket.setTimeout(ASK_MS, () => settle(false));
    socket.once('data', (packet) => settle(packet[4] === 10));
    socket.once('error', () => settle(false));
    socket.once('close', () => settle(false));
  });
}

/** Asks until the answer is yes; false where that takes longer than `withinMs` or `signal` aborts. */
export async function until(ask: () => Promise<boolean>, withinMs: number, signal?: AbortSignal): Promise<boolean> {
  const end = Date.now() + withinMs;
  while (!signal?.aborted) {
    if (await ask()) return true;
    if (Date.now() > end) return false;
    await delay(AGAIN_MS);
  }
  return false;
}
