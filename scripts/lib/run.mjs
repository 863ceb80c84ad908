import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { basename } from 'node:path';

const KEPT_CHARACTERS = 8_000;

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
/** @type {Record<string, number>} */
const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };

/** A program that could not be started or that ended badly; the message carries the end of what it printed. */
export class CommandError extends Error {
  /** @override */
  name = 'CommandError';
}

const LOOK_EVERY_MS = 500;

/**
 * Signals that we get go to the child, which decides; so does, as SIGTERM, the end of whoever started us (npm was killed).
 * Returns what ends that.
 * @param {import('node:child_process').ChildProcess} child
 */
function passSignalsTo(child) {
  const handlers = SIGNALS.map((signal) => ({ signal, handler: () => void child.kill(signal) }));
  for (const { signal, handler } of handlers) process.on(signal, handler);
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    child.kill('SIGTERM');
    clearInterval(timer);
  }, LOOK_EVERY_MS);
  return () => {
    clearInterval(timer);
    for (const { signal, handler } of handlers) process.off(signal, handler);
  };
}

/**
 * Runs a program to its end, quietly. Its output is returned; where it fails, the end of it is in the error.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number }} [options]
 * @returns {Promise<string>}
 */
export async function runQuietly(command, args, { cwd, env = process.env, timeoutMs } = {}) {
  const child = spawn(command, args, { cwd, env, timeout: timeoutMs, stdio: ['ignore', 'pipe', 'pipe'] });
  const stopPassing = passSignalsTo(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
      output = (output + text).slice(-KEPT_CHARACTERS);
    });
  }
  try {
    const [code, signal] = await once(child, 'close');
    if (code === 0) return output;
    throw new CommandError(`${[basename(command), ...args].join(' ')} ended with ${signal ?? code}:\n${output.trim()}`);
  } catch (error) {
    throw error instanceof CommandError ? error : cannotStart(command, error);
  } finally {
    stopPassing();
  }
}

/**
 * Runs a program in our place: its output is ours, signals that we get go to it, and its exit code comes back (128 + n after
 * signal n, as shells do).
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<number>}
 */
export async function runInOurPlace(command, args, { cwd, env = process.env } = {}) {
  const child = spawn(command, args, { cwd, env, stdio: 'inherit' });
  const stopPassing = passSignalsTo(child);
  try {
    const [code, signal] = await once(child, 'exit');
    return code ?? 128 + (SIGNAL_NUMBERS[signal] ?? 0);
  } catch (error) {
    throw cannotStart(command, error);
  } finally {
    stopPassing();
  }
}

/**
 * @param {string} command
 * @param {unknown} error
 */
function cannotStart(command, error) {
  const reason = error instanceof Error ? error.message : String(error);
  return new CommandError(`${command} could not be started: ${reason}`, { cause: error });
}
